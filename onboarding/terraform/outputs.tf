output "role_arn" {
  description = "What to give as role_arn when asking for a cluster."
  value       = aws_iam_role.groundwork.arn
}

output "role_name" {
  description = "The role's name."
  value       = aws_iam_role.groundwork.name
}

output "external_id" {
  description = "What Groundwork has to present to be let in."
  value       = var.external_id
}
