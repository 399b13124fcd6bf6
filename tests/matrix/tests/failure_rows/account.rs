//! IAM, STS, the account.

use crate::scene::{QUICK_START, Scene, and_more, parks_until_mended, reads, refuse, runs_in_spite_of, times};
use aws_config::Region;
use cloud::account::Account as Enabled;
use engine::errors::Error;
use engine::permissions::boundary;
use engine::preflight;
use engine::session::{self, Door, SessionPolicies};
use engine::stage::Stage;
use matrix::account::REGION;
use serde_json::json;
use std::time::Duration;
use wire::error::{Class, Code};
use wire::names::PLACEHOLDERS;

const FRESH_ROLE: [&str; 6] = [
    "Role with arn: arn:aws:iam::123456789012:role/x, could not be assumed because it does not exist or the trusted entity is not correct",
    "roleArn, arn:aws:iam::123456789012:role/x, does not exist",
    "Error in role params",
    "Role could not be assumed because the trusted entity is not correct",
    "The provided role doesn't have the Amazon EKS Managed Policies associated with it. Please ensure the following policy is attached: \
     AmazonEKSClusterPolicy",
    "IAM role's policy must include the `ec2:DescribeSubnets` action",
];
const SOON: &str = "AWS cannot see what was just created yet, which passes within minutes; Groundwork tries again by itself.";
const REGION_HINT: &str = "Enable the cluster's region in the account (Account, AWS Regions) and wait until it says Enabled, then retry.";
const STS_HINT: &str = "AWS STS is turned off in your account for the region in which Groundwork runs: turn it on (IAM, Account settings, \
                        Security Token Service), then retry.";
/// Where the operator's functions run.
const OPERATORS: &str = "eu-west-1";

async fn assume(scene: &Scene) -> Error {
    let policies = SessionPolicies { managed: None, inline: String::new() };
    let door = Door { role_arn: &scene.cluster.spec.role_arn, region: REGION, cluster_id: "x", stage: Stage::CreateEks, policies };
    let operator = scene.account.config().to_builder().region(Region::new(OPERATORS)).build();
    session::assume(&operator, &door, "x").await.expect_err("there is no STS behind")
}

/// R, F: EKS does not see a new role, or its policy.
#[tokio::test(start_paused = true)]
async fn row_1_create_cluster_is_tried_again_until_eks_sees_its_role() {
    let fresh = |message| times(2, refuse("eks:CreateCluster", 400, "InvalidParameterException", message));
    runs_in_spite_of(FRESH_ROLE.map(fresh).into()).await;

    let never = refuse("eks:CreateCluster", 400, "InvalidParameterException", FRESH_ROLE[2]);
    let reason = "AWS refused eks:CreateCluster: InvalidParameterException: Error in role params";
    parks_until_mended([(never, Class::Later, reason, SOON)]).await;
}

/// F: The same code with any other message will never pass.
#[tokio::test(start_paused = true)]
async fn row_2_a_code_that_is_retried_with_one_message_parks_with_another() {
    let reason = "AWS refused eks:CreateCluster: InvalidParameterException: Subnets specified must be in the same VPC";
    let fault = refuse("eks:CreateCluster", 400, "InvalidParameterException", "Subnets specified must be in the same VPC");
    let hint = "The operator is alerted when the run stops; retry once they have answered.";
    parks_until_mended([(fault, Class::Permanent, reason, hint)]).await;
}

/// R: The first cluster of an account finds no service-linked role of EKS.
#[tokio::test(start_paused = true)]
async fn row_3_the_first_cluster_of_an_account_waits_for_the_service_linked_role() {
    let message = "Role with arn: arn:aws:iam::123456789012:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS, could not \
                   be assumed because it does not exist or the trusted entity is not correct";
    runs_in_spite_of(vec![times(3, refuse("eks:CreateCluster", 400, "InvalidParameterException", message))]).await;
}

/// R, F: The service-linked role of node groups is missing, or not seen yet.
#[tokio::test(start_paused = true)]
async fn row_4_the_permission_for_the_service_linked_role_is_named() {
    let refused = |message| refuse("eks:CreateNodegroup", 400, "InvalidRequestException", message);
    let create = "Failed to create service linked role: AWSServiceRoleForAmazonEKSNodegroup due to missing permissions for \
                  'iam:CreateServiceLinkedRole'";
    let look = "Failed to validate if SLR: AWSServiceRoleForAmazonEKSNodegroup already exists due to missing permissions for 'iam:GetRole'";
    let reason = |message| and_more(1, &format!("AWS refused eks:CreateNodegroup: InvalidRequestException: {message}"));
    parks_until_mended([
        (refused(create), Class::Customer, &reason(create), "Add iam:CreateServiceLinkedRole to the role, then retry."),
        (refused(look), Class::Customer, &reason(look), "Add iam:GetRole to the role, then retry."),
    ])
    .await;

    let fresh = "Amazon EKS Nodegroups was unable to assume the service-linked role in your account.";
    runs_in_spite_of(vec![times(3, refused(fresh))]).await;
    assert!(["MakeServiceLinkedRoles", "AWSServiceRoleForAmazonEKSNodegroup"].iter().all(|text| QUICK_START.contains(text)));
}

/// P: A load balancer has no service-linked role.
#[test]
fn row_6_only_a_controller_with_the_customers_role_makes_load_balancers() {
    assert!(!boundary::policy(&PLACEHOLDERS).compact().contains("elasticloadbalancing"));
}

/// R, F: Permissions flap after they are granted.
#[tokio::test(start_paused = true)]
async fn row_7_a_refusal_is_not_believed_for_a_minute() {
    let denied = |call| refuse(call, 403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    runs_in_spite_of(vec![times(5, denied("ec2:CreateVpc"))]).await;

    let reason = "AWS refused ec2:CreateVpc: the role does not allow it (UnauthorizedOperation).";
    let hint = "Add ec2:CreateVpc to the role (and to its boundary and the organization's policies), then retry.";
    parks_until_mended([(denied("ec2:CreateVpc"), Class::Customer, reason, hint)]).await;
}

/// R, P: A session expires in the middle of the work.
#[tokio::test(start_paused = true)]
async fn row_8_an_expired_session_is_renewed_and_never_longer_than_chaining_allows() {
    let expired = |call, code| times(2, refuse(call, 403, code, "The security token included in the request is expired"));
    runs_in_spite_of(vec![expired("ec2:CreateSubnet", "ExpiredToken"), expired("eks:DescribeNodegroup", "ExpiredTokenException")]).await;

    let scene = Scene::new().await;
    assume(&scene).await;
    let asked = &scene.account.calls()[scene.first("sts:AssumeRole")];
    assert!(asked.split(' ').any(|text| text == "3600"), "{asked}");
}

/// P, F: The region is not enabled in the account.
#[tokio::test(start_paused = true)]
async fn row_9_a_region_that_is_not_enabled_is_named_before_anything_is_made() {
    let scene = Scene::new().await;
    // Only the customer has enabled the region. Nothing is asked of STS there, which would not know the operator.
    scene.account.cloud().set_account("222222222222".into(), Enabled { opted_in: vec![REGION.into()], ..Enabled::default() });
    assert_eq!(assume(&scene).await.code, Code::AnotherAccount, "STS was reached in {OPERATORS}, and does not say whose session it is");
    scene.account.cloud().set_account("222222222222".into(), Enabled::default());

    let message = "STS is not activated in this region for account:123456789012. Your account administrator can activate STS in this \
                   region using the IAM Console.";
    scene.set(vec![refuse("sts:AssumeRole", 403, "RegionDisabledException", message)]);
    let reason = format!("AWS refused sts:AssumeRole: RegionDisabledException: {message}");
    reads(&assume(&scene).await, Class::Customer, &reason, STS_HINT);
    let message = "AWS was not able to validate the provided access credentials";
    let scene = Scene::wanting(&["m6i.large"]).await;
    scene.set(vec![refuse("ec2:DescribeAvailabilityZones", 401, "AuthFailure", message)]);
    let error = preflight::zones::choose(&scene.context(), None).await.expect_err("the region is not enabled");
    reads(&error, Class::Customer, &format!("AWS refused ec2:DescribeAvailabilityZones: AuthFailure: {message}"), REGION_HINT);
}

/// C: A role has policies that others gave it.
#[tokio::test(start_paused = true)]
async fn row_10_what_others_gave_a_role_goes_before_it() {
    let mut scene = Scene::new().await;
    let iam = scene.clients().iam;
    let policy = iam.create_policy().policy_name("AmazonSSMManagedInstanceCore").policy_document("{}").send().await.expect("a policy");
    let policy = policy.policy.and_then(|policy| policy.arn).expect("its ARN");
    scene.begin_here().await;
    scene.runs().await;

    let role = scene.cluster.scoped("node");
    iam.attach_role_policy().role_name(&role).policy_arn(policy).send().await.expect("attached");
    iam.put_role_policy().role_name(&role).policy_name("inline").policy_document("{}").send().await.expect("put");
    scene.set(vec![times(2, refuse("iam:DeleteRole", 409, "DeleteConflict", "Cannot delete entity, must detach all policies first."))]);
    scene.goes().await;
}

/// P: OIDC providers leak.
#[test]
fn row_12_there_is_no_oidc_provider() {
    assert!(!QUICK_START.contains("OpenIDConnectProvider"));
}

/// P: Roles go before the cluster that cleans up with them.
#[tokio::test(start_paused = true)]
async fn row_13_the_control_planes_role_stays_until_the_cluster_is_gone() {
    let scene = Scene::running().await;
    // The pods' roles go first, and the nodes'.
    let denied = refuse("iam:DeleteRole", 403, "AccessDenied", "User: x is not authorized to perform: iam:DeleteRole on resource: y");
    scene.set(vec![cloud::faults::Fault { skip: 4, ..denied }]);
    let reason = "AWS refused iam:DeleteRole on resource: y (AccessDenied).";
    let hint = "Add iam:DeleteRole to the role (and to its boundary and the organization's policies), then retry.";
    reads(&scene.is_blocked().await, Class::Customer, reason, hint);

    let aws = scene.clients();
    aws.iam.get_role().role_name(scene.cluster.scoped("cluster")).send().await.expect("the role is there");
    aws.eks.describe_cluster().name(scene.cluster.eks_name()).send().await.expect_err("the cluster is gone");
    scene.mend();
    scene.goes().await;
}

/// P: The autoscaler raises one node group while another goes.
#[tokio::test(start_paused = true)]
async fn row_144_the_autoscalers_role_goes_before_the_nodes_and_does_not_keep_them() {
    let scene = Scene::running().await;
    let aws = scene.clients();
    let denied = refuse("eks:DeleteNodegroup", 403, "AccessDeniedException", "User: x is not authorized to perform: eks:DeleteNodegroup");
    scene.set(vec![denied]);
    scene.is_blocked().await;
    aws.iam.get_role().role_name(scene.cluster.scoped("autoscaler")).send().await.expect_err("the role is gone, and the nodes are not");

    let scene = Scene::running().await;
    let denied = refuse("iam:DeleteRole", 403, "AccessDenied", "User: x is not authorized to perform: iam:DeleteRole on resource: y");
    scene.set(vec![denied]);
    scene.is_blocked().await;
    let aws = scene.clients();
    aws.iam.get_role().role_name(scene.cluster.scoped("autoscaler")).send().await.expect("the role is there");
    aws.eks.describe_cluster().name(scene.cluster.eks_name()).send().await.expect_err("nodes and cluster are gone");
    scene.mend();
    scene.goes().await;
}

/// F: Something else than the role denies a call.
#[tokio::test(start_paused = true)]
async fn row_68_a_denial_names_what_denies_and_not_always_the_role() {
    let organization = "If your organization demands a tag, delete the cluster and create it with that in its tags. Otherwise: A policy of the \
                        organization denies it. Such policies are about regions, tags or settings: an administrator of the \
                        organization has to exempt this account or role, then retry. Changing the role does not help.";
    let own = "A policy of the role itself denies it: take the denial out of it (the quick-start's have none), then retry.";
    let session = "The policies by which Groundwork narrows its session do not allow it: deploy the quick-start again, then retry.";
    let denied = |why: &str, hint: &'static str| {
        let message =
            format!("You are not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:us-west-2:123456789012:vpc/* {why}");
        let reason =
            format!("AWS refused ec2:CreateVpc on resource: arn:aws:ec2:us-west-2:123456789012:vpc/* {why} (UnauthorizedOperation).");
        (refuse("ec2:CreateVpc", 403, "UnauthorizedOperation", &message), Class::Customer, reason, hint)
    };
    parks_until_mended([
        denied("with an explicit deny in a service control policy", organization),
        denied("because no session policy allows the ec2:CreateVpc action", session),
        denied("with an explicit deny in an identity-based policy", own),
    ])
    .await;
}

/// P, F: The organization demands a tag, or other values of it.
#[tokio::test(start_paused = true)]
async fn row_90_a_tag_that_the_organization_demands_is_on_everything_or_the_hint_says_to_give_it() {
    let demands = || Enabled { demanded_tag: Some("CostCenter".into()), ..Enabled::default() };
    let scene = Scene::asking(&json!({"tags": {"CostCenter": "4711"}})).await;
    scene.account.becomes(demands());
    scene.runs().await;
    scene.goes().await;

    let scene = Scene::new().await;
    scene.account.becomes(demands());
    let error = scene.parks().await;
    assert_eq!((error.class, error.is_denied_by_organization()), (Class::Customer, true), "{error}");
    let give = "If your organization demands a tag, delete the cluster and create it with that in its tags. Otherwise: A policy of the";
    assert!(error.hint.starts_with(give), "{}", error.hint);
    scene.goes().await;

    let message = "The tag policy does not allow the specified value for the following tag key: 'CostCenter'.";
    let hint = "A tag policy of the organization does not allow the value of the tag that the reason names: delete the cluster and create \
                it with a value in its tags that the policy allows.";
    let reason = format!("AWS refused ec2:CreateVpc: TagPolicyViolation: {message}");
    parks_until_mended([(refuse("ec2:CreateVpc", 400, "TagPolicyViolation", message), Class::Customer, reason, hint)]).await;
}

/// F: Somebody put our role into an instance profile.
#[tokio::test(start_paused = true)]
async fn row_69_an_instance_profile_that_eks_did_not_make_is_named() {
    let scene = Scene::running().await;
    let (iam, role) = (scene.clients().iam, scene.cluster.scoped("node"));
    iam.create_instance_profile().instance_profile_name("theirs").send().await.expect("a profile");
    iam.add_role_to_instance_profile().role_name(&role).instance_profile_name("theirs").send().await.expect("added");
    let reason = format!("The role {role} is in the instance profile theirs, which Groundwork did not make.");
    let hint = format!(
        "Take the role out of it (aws iam remove-role-from-instance-profile --instance-profile-name theirs --role-name {role}), then retry."
    );
    reads(&scene.is_blocked().await, Class::Customer, &reason, &hint);
    iam.remove_role_from_instance_profile().role_name(role).instance_profile_name("theirs").send().await.expect("removed");
    iam.delete_instance_profile().instance_profile_name("theirs").send().await.expect("gone");
    scene.goes().await;
}

/// W, F: EKS has not removed the instance profile that it made for the nodes.
#[tokio::test(start_paused = true)]
async fn row_81_the_instance_profile_of_eks_is_waited_for_and_then_named() {
    for removed_by_eks in [true, false] {
        let scene = Scene::running().await;
        let (iam, role) = (scene.clients().iam, scene.cluster.scoped("node"));
        iam.create_instance_profile().instance_profile_name("eks-1").send().await.expect("a profile");
        iam.add_role_to_instance_profile().role_name(&role).instance_profile_name("eks-1").send().await.expect("added");
        let removed = async {
            iam.remove_role_from_instance_profile().role_name(&role).instance_profile_name("eks-1").send().await.expect("removed");
            iam.delete_instance_profile().instance_profile_name("eks-1").send().await.expect("gone");
        };
        if removed_by_eks {
            let minutes = async {
                tokio::time::sleep(Duration::from_secs(1800)).await;
                removed.await;
            };
            tokio::join!(scene.goes(), minutes);
            continue;
        }
        let reason = format!(
            "role/node could not be removed in 60 minutes. The role {role} is in the instance profile eks-1, which EKS made for the nodes \
             and has not removed."
        );
        let hint = format!(
            "EKS usually removes it within minutes. If not, do so (aws iam remove-role-from-instance-profile --instance-profile-name eks-1 \
             --role-name {role}; aws iam delete-instance-profile --instance-profile-name eks-1), then retry."
        );
        reads(&scene.is_blocked().await, Class::Customer, &reason, &hint);
        removed.await;
        scene.goes().await;
    }
}
