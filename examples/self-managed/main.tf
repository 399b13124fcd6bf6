# What a customer makes for a self-managed cluster: the EKS cluster, the buckets, the role of the nodes, and the role through which
# Groundwork verifies them and adds node groups. policy.json and trust.json are written by `make press`. Not for AWS's regions in China,
# where services have other names (ec2.amazonaws.com.cn) and Groundwork is not supported.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  partition = data.aws_partition.this.partition
  policies  = "arn:${local.partition}:iam::aws:policy"
}

# With the access mode API, EKS lets the nodes of managed node groups in by itself.
resource "aws_eks_cluster" "this" {
  name     = var.cluster_name
  role_arn = aws_iam_role.cluster.arn

  access_config {
    authentication_mode = "API"
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = false
  }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "aws_iam_role" "cluster" {
  name               = "${var.cluster_name}-cluster"
  assume_role_policy = data.aws_iam_policy_document.trust["eks"].json
}

resource "aws_iam_role_policy_attachment" "cluster" {
  role       = aws_iam_role.cluster.name
  policy_arn = "${local.policies}/AmazonEKSClusterPolicy"
}

resource "aws_iam_role" "node" {
  name               = "${var.cluster_name}-node"
  assume_role_policy = data.aws_iam_policy_document.trust["ec2"].json
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each   = toset(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"])
  role       = aws_iam_role.node.name
  policy_arn = "${local.policies}/${each.key}"
}

data "aws_iam_policy_document" "trust" {
  for_each = toset(["eks", "ec2"])

  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

resource "aws_s3_bucket" "this" {
  for_each = toset(var.bucket_names)
  bucket   = each.key
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = aws_s3_bucket.this
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_iam_role" "groundwork" {
  name                 = var.role_name
  description          = "Groundwork adds node groups to ${var.cluster_name} through this role."
  max_session_duration = 3600
  assume_role_policy = templatefile("${path.module}/trust.json", {
    partition         = local.partition
    operator_account  = var.operator_account_id
    principal_pattern = var.operator_principal_pattern
    external_id       = var.external_id
  })
}

resource "aws_iam_role_policy" "groundwork" {
  name = "groundwork"
  role = aws_iam_role.groundwork.name
  policy = templatefile("${path.module}/policy.json", {
    partition = local.partition
    account   = data.aws_caller_identity.this.account_id
    region    = var.region
    role      = var.role_name
    cluster   = aws_eks_cluster.this.name
    node_role = aws_iam_role.node.arn
    buckets   = local.buckets
  })
}
