# The role through which Groundwork makes clusters in this account: the quick-start, as Terraform.
# The policies are written by `make press` from the same table as the CloudFormation template's.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  stages = toset(["assume-role", "create-buckets", "create-eks", "create-nodegroups", "furnish", "teardown"])
  pods = {
    autoscaler = "What the autoscaler of a cluster may do."
    workload   = "What the pods of researchers may do."
  }
  names = {
    partition = data.aws_partition.this.partition
    account   = data.aws_caller_identity.this.account_id
    role      = var.role_name
  }
  # Statements by the policy that they belong to, if there are VPCs of the customer's.
  customers_network = {
    for policy, statement in jsondecode(templatefile("${path.module}/policies/customers-network.json", merge(local.names, {
      vpcs = join("\", \"", var.network_vpcs)
    }))) : policy => statement if length(var.network_vpcs) > 0
  }
  stage_policies = {
    for stage in local.stages : stage => jsondecode(templatefile("${path.module}/policies/${stage}.json", local.names))
  }
  boundary = jsondecode(templatefile("${path.module}/policies/boundary.json", local.names))
  # One statement if there are repositories, else none.
  own_images = [
    for repositories in [var.image_repositories] :
    merge(jsondecode(file("${path.module}/policies/own-images.json")), { Resource = repositories }) if length(repositories) > 0
  ]
}

resource "aws_iam_role" "groundwork" {
  name                 = var.role_name
  description          = "Groundwork makes clusters through this role."
  max_session_duration = 3600
  assume_role_policy = templatefile("${path.module}/policies/trust.json", {
    partition         = local.names.partition
    operator_account  = var.operator_account_id
    principal_pattern = var.operator_principal_pattern
    external_id       = var.external_id
  })
}

# What each of Groundwork's stages may do; a session gets its stage's alone.
resource "aws_iam_policy" "stage" {
  for_each    = local.stages
  name        = "${var.role_name}-${each.key}"
  path        = "/groundwork/"
  description = "What Groundwork's stage ${each.key} may do."
  policy = jsonencode(merge(local.stage_policies[each.key], {
    Statement = concat(local.stage_policies[each.key].Statement, [for policy, statement in local.customers_network : statement if policy == each.key])
  }))
}

resource "aws_iam_role_policy_attachment" "stage" {
  for_each   = local.stages
  role       = aws_iam_role.groundwork.name
  policy_arn = aws_iam_policy.stage[each.key].arn
}

# What pods of the clusters may do; their roles get these, which are their boundaries, too.
resource "aws_iam_policy" "pods" {
  for_each    = local.pods
  name        = "${var.role_name}-${each.key}"
  path        = "/groundwork/"
  description = each.value
  policy      = templatefile("${path.module}/policies/${each.key}.json", local.names)

  # As the boundary below.
  depends_on = [aws_iam_role_policy_attachment.stage]
}

# The most that a role made by Groundwork may do; Groundwork cannot change it.
resource "aws_iam_policy" "boundary" {
  name        = "${var.role_name}-boundary"
  path        = "/groundwork/"
  description = "The most that a role made by Groundwork may do."
  policy = jsonencode(merge(local.boundary, {
    Statement = concat(local.boundary.Statement, local.own_images, [for policy, statement in local.customers_network : statement if policy == "boundary"])
  }))

  # So it is destroyed first. As long as a cluster's roles use it, IAM keeps it, and so Terraform the role that removes clusters.
  depends_on = [aws_iam_role_policy_attachment.stage]
}
