output "request" {
  description = "What to post to /clusters."
  value = jsonencode(merge(
    {
      name             = var.cluster_name
      mode             = "self_managed"
      role_arn         = aws_iam_role.groundwork.arn
      region           = var.region
      eks_cluster_name = aws_eks_cluster.this.name
      buckets          = [for bucket in aws_s3_bucket.this : bucket.id]
      instance_types   = [for name in var.instance_types : { name = name }]
    },
    length(var.instance_types) == 0 ? {} : { node_role_arn = aws_iam_role.node.arn },
  ))
  # The cluster is verified as soon as it is posted.
  depends_on = [aws_s3_bucket_public_access_block.this, aws_iam_role_policy.groundwork, aws_iam_role_policy_attachment.node]
}
