variable "operator_account_id" {
  description = "The account that Groundwork runs in. GET /onboarding has it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.operator_account_id))
    error_message = "An AWS account id has twelve digits."
  }
}

variable "operator_principal_pattern" {
  description = "The names of Groundwork's roles that may assume this one. GET /onboarding has them."
  type        = string

  validation {
    condition     = can(regex("^arn:aws(-us-gov)?:iam::[0-9]{12}:role/.+$", var.operator_principal_pattern))
    error_message = "This is the ARN of a role, in which * may stand for the end of its name."
  }
}

variable "external_id" {
  description = "What Groundwork has to present to be let in. Groundwork made it for you alone; GET /onboarding has it."
  type        = string

  validation {
    condition     = length(var.external_id) >= 16
    error_message = "Take the external ID from GET /onboarding; it is not for you to choose."
  }
}

variable "role_name" {
  description = "The role's name. Groundwork can assume only roles whose name begins with groundwork."
  type        = string
  default     = "groundwork"

  validation {
    condition     = can(regex("^groundwork[A-Za-z0-9+=,.@_-]{0,22}$", var.role_name))
    error_message = "The name begins with groundwork and has at most 32 characters."
  }
}

variable "network_vpcs" {
  description = "The ARNs of your own VPCs that clusters may be in (network.subnet_ids), such as arn:aws:ec2:us-west-2:222222222222:vpc/vpc-0123456789abcdef0; there is room for four. Without any, each cluster gets a VPC of its own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.network_vpcs : can(regex("^arn:aws(-us-gov)?:ec2:[^, ]+:vpc/vpc-[0-9a-f*]+$", arn))])
    error_message = "These are ARNs of VPCs."
  }
}

variable "image_repositories" {
  description = "The ARNs of the ECR repositories that the clusters may pull images from, besides AWS's own for EKS. A pattern such as arn:aws:ecr:us-west-2:222222222222:repository/team/* counts as one; there is room for about twenty, or for a dozen beside network_vpcs."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.image_repositories : can(regex("^arn:aws(-us-gov)?:ecr:[a-z0-9*-]+:([0-9]{12}|\\*):repository/.+$", arn))])
    error_message = "These are ARNs of ECR repositories, in which * may stand for a part."
  }
}
