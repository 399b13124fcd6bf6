//! What a customer needs to let Groundwork in: whom to trust, with which external ID, and the quick-start that grants it.

use engine::permissions::{self, STAGES, boundary, trust};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use wire::names::PLACEHOLDERS;
use wire::view::{Onboarding, Principal};

/// The quick-start's stack in the customer's account.
const STACK: &str = "groundwork";
const QUICK_START: &str = include_str!("../../../onboarding/quick-start.yaml");

const GRANT: &str = "Save template as quick-start.yaml and run commands, signed in to the account that the clusters are to live in. They \
                     make the role, grant what it needs, protect the stack from being deleted, and print the role's ARN.";
const LINK: &str = "Or open quick_create_url there, and then protect the stack as commands do.";

/// This Groundwork as its customers' roles see it.
pub struct Operator {
    pub account: String,
    pub principal_pattern: String,
    pub region: String,
    /// Where the quick-start is, if anybody may read it there.
    pub template_url: Option<String>,
}

impl Operator {
    pub fn answer(&self, external_id: &str, default_region: &str) -> Onboarding {
        Onboarding {
            external_id: external_id.to_owned(),
            principal: Principal { account_id: self.account.clone(), pattern: self.principal_pattern.clone() },
            trust_policy: self.trust_policy(external_id),
            default_region: default_region.to_owned(),
            role_name: "groundwork, or any name that begins with it".into(),
            grant: if self.template_url.is_some() { format!("{GRANT} {LINK}") } else { GRANT.into() },
            template: QUICK_START.into(),
            commands: self.commands(external_id),
            quick_create_url: self.template_url.as_ref().map(|template| self.quick_create_url(template, external_id)),
            template_url: self.template_url.clone(),
            policy: policies(),
        }
    }

    /// What the quick-start makes of the same values.
    fn trust_policy(&self, external_id: &str) -> Value {
        trust::policy(&trust::Who {
            partition: self.partition(),
            operator_account: &self.account,
            principal_pattern: &self.principal_pattern,
            external_id,
        })
    }

    /// For a shell with the AWS CLI. Each is harmless if it is run again.
    fn commands(&self, external_id: &str) -> String {
        let cloudformation = |rest: &str| format!("aws cloudformation {rest}\n");
        let stack = format!("--region {} --stack-name {STACK}", self.region);
        let (account, pattern) = (&self.account, &self.principal_pattern);
        let parameters = format!("OperatorAccountId={account} 'OperatorPrincipalPattern={pattern}' 'ExternalId={external_id}'");
        let role = "--output text --query \"Stacks[0].Outputs[?OutputKey=='RoleArn'].OutputValue\"";
        [
            cloudformation(&format!(
                "deploy {stack} --template-file quick-start.yaml --capabilities CAPABILITY_NAMED_IAM \\\n  \
                 --no-fail-on-empty-changeset --parameter-overrides {parameters}"
            )),
            cloudformation(&format!("update-termination-protection {stack} --enable-termination-protection")),
            cloudformation(&format!("describe-stacks {stack} {role}")),
        ]
        .concat()
    }

    /// CloudFormation's console with the quick-start filled in. The console ignores parameters with NoEcho.
    fn quick_create_url(&self, template: &str, external_id: &str) -> String {
        let fields = [
            ("templateURL", template),
            ("stackName", STACK),
            ("param_OperatorAccountId", &self.account),
            ("param_OperatorPrincipalPattern", &self.principal_pattern),
            ("param_ExternalId", external_id),
        ];
        let fields = fields.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))).join("&");
        let (region, console) = (&self.region, self.console());
        format!("https://{region}.{console}/cloudformation/home?region={region}#/stacks/create/review?{fields}")
    }

    /// The console's domain in the partition that Groundwork runs in.
    fn console(&self) -> &'static str {
        match self.partition() {
            "aws-us-gov" => "console.amazonaws-us-gov.com",
            _ => "console.aws.amazon.com",
        }
    }

    /// Of the pattern's `arn:<partition>:…`.
    fn partition(&self) -> &str {
        self.principal_pattern.split(':').nth(1).unwrap_or("aws")
    }
}

/// What the role is granted: by ARN, a managed policy for each stage and the boundary of the roles that Groundwork makes, with placeholders
/// for the customer's values.
fn policies() -> BTreeMap<String, Value> {
    let of_stage = |stage| (permissions::policy_arn(stage, &PLACEHOLDERS), json!(permissions::policy(stage, &PLACEHOLDERS)));
    let boundary = (boundary::arn(&PLACEHOLDERS), json!(boundary::policy(&PLACEHOLDERS)));
    STAGES.iter().copied().map(of_stage).chain([boundary]).collect()
}
