variable "region" {
  description = "Where the cluster and the buckets are."
  type        = string
}

variable "cluster_name" {
  description = "The name of the EKS cluster, and of the cluster at Groundwork."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", var.cluster_name))
    error_message = "The name is 1-53 lower-case letters, digits and hyphens, a letter or digit at both ends: roles are named after it."
  }
}

variable "subnet_ids" {
  description = "Subnets of the cluster and its nodes, in at least two availability zones, with a way out to ECR and EKS."
  type        = list(string)
}

variable "bucket_names" {
  description = "The names of the buckets."
  type        = list(string)

  validation {
    condition     = length(var.bucket_names) >= 1 && length(var.bucket_names) <= 10
    error_message = "Groundwork takes one to ten buckets."
  }
}

variable "instance_types" {
  description = "EC2 instance types, one node group each; none if Groundwork should only verify."
  type        = list(string)
  default     = ["m6i.large"]
}

variable "operator_account_id" {
  description = "The account that Groundwork runs in. GET /onboarding has it."
  type        = string
}

variable "operator_principal_pattern" {
  description = "The names of Groundwork's roles that may assume this one. GET /onboarding has them."
  type        = string
}

variable "external_id" {
  description = "What Groundwork has to present to be let in. Groundwork made it for you alone; GET /onboarding has it."
  type        = string
}

variable "role_name" {
  description = "The role's name. Groundwork can assume only roles whose name begins with groundwork."
  type        = string
  default     = "groundwork"
}
