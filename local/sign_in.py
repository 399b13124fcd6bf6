"""Makes a tenant's user as an administrator of the user pool does, and signs in."""

import secrets

import aws_clients


def token(stack, tenant):
    """The ID token, because the access token does not carry the tenant."""
    return with_password(stack, tenant, user(stack, tenant))


def user(stack, tenant):
    """Makes the tenant's user, or gives it another password, and returns the password."""
    cognito, pool = aws_clients.operator("cognito-idp"), stack["UserPoolId"]
    password = secrets.token_urlsafe(24) + "aA1!"
    make_user(cognito, pool, tenant, password)
    cognito.admin_set_user_password(UserPoolId=pool, Username=tenant, Password=password, Permanent=True)
    return password


def with_password(stack, tenant, password):
    signed_in = aws_clients.operator("cognito-idp").admin_initiate_auth(
        UserPoolId=stack["UserPoolId"],
        ClientId=stack["UserPoolClientId"],
        AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": tenant, "PASSWORD": password},
    )
    return signed_in["AuthenticationResult"]["IdToken"]


def make_user(cognito, pool, tenant, password):
    try:
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=tenant,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "custom:tenant", "Value": tenant}],
        )
    except cognito.exceptions.UsernameExistsException:
        pass
