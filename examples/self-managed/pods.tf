# What pods need of AWS before `groundwork furnish` can give them a place to work: a role each for the autoscaler, for what researchers run, and
# for the driver that makes disks, by EKS Pod Identity; the add-ons; and a node that stays. autoscaler.json and workload.json are written by
# `make press`.

locals {
  # ARNs, between the quotes of one text there, so that they become a list.
  buckets = join("\", \"", [for bucket in aws_s3_bucket.this : bucket.arn])
  objects = join("\", \"", [for bucket in aws_s3_bucket.this : "${bucket.arn}/*"])

  service_accounts = {
    autoscaler = { namespace = "kube-system", name = "cluster-autoscaler" }
    workload   = { namespace = "research", name = "run" }
    ebs-csi    = { namespace = "kube-system", name = "ebs-csi-controller-sa" }
  }
}

resource "aws_iam_role" "pods" {
  for_each = local.service_accounts
  name     = "${var.cluster_name}-${each.key}"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "pods" {
  for_each = toset(["autoscaler", "workload"])
  name     = each.key
  role     = aws_iam_role.pods[each.key].name
  policy = templatefile("${path.module}/${each.key}.json", {
    partition = local.partition
    account   = data.aws_caller_identity.this.account_id
    region    = var.region
    cluster   = aws_eks_cluster.this.name
    buckets   = local.buckets
    objects   = local.objects
  })
}

resource "aws_iam_role_policy_attachment" "ebs_csi" {
  role       = aws_iam_role.pods["ebs-csi"].name
  policy_arn = "${local.policies}/service-role/AmazonEBSCSIDriverPolicy"
}

# These may precede the service accounts.
resource "aws_eks_pod_identity_association" "this" {
  for_each        = local.service_accounts
  cluster_name    = aws_eks_cluster.this.name
  namespace       = each.value.namespace
  service_account = each.value.name
  role_arn        = aws_iam_role.pods[each.key].arn
}

# Groundwork's node groups come and go. What keeps the cluster going, the autoscaler first of all, needs a node that stays.
resource "aws_eks_node_group" "system" {
  cluster_name    = aws_eks_cluster.this.name
  node_group_name = "system"
  node_role_arn   = aws_iam_role.node.arn
  subnet_ids      = var.subnet_ids
  instance_types  = ["t3.medium"]

  scaling_config {
    min_size     = 1
    desired_size = 1
    max_size     = 2
  }

  depends_on = [aws_iam_role_policy_attachment.node]
}

# The driver's pods need a node.
resource "aws_eks_addon" "this" {
  for_each     = toset(["eks-pod-identity-agent", "aws-ebs-csi-driver"])
  cluster_name = aws_eks_cluster.this.name
  addon_name   = each.key

  depends_on = [aws_eks_node_group.system, aws_eks_pod_identity_association.this]
}
