"""Users of the stack's own user pool."""

import base64
import hmac
import secrets
import struct
import time

import aws_clients
import sign_in


def test_a_user_with_an_authenticator_app_does_not_get_in_with_the_password_alone(service):
    cognito, pool, client = aws_clients.operator("cognito-idp"), service.stack["UserPoolId"], service.stack["UserPoolClientId"]
    name, password = f"user-{secrets.token_hex(4)}", secrets.token_urlsafe(24) + "aA1!"
    sign_in.make_user(cognito, pool, name, password)
    cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=password, Permanent=True)

    def with_password():
        given = {"USERNAME": name, "PASSWORD": password}
        return cognito.admin_initiate_auth(UserPoolId=pool, ClientId=client, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters=given)

    token = with_password()["AuthenticationResult"]["AccessToken"]
    key = cognito.associate_software_token(AccessToken=token)["SecretCode"]
    assert cognito.verify_software_token(AccessToken=token, UserCode=code(key))["Status"] == "SUCCESS"
    cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})

    challenge = with_password()
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA" and "AuthenticationResult" not in challenge
    answer = {"USERNAME": name, "SOFTWARE_TOKEN_MFA_CODE": code(key)}
    to = {"UserPoolId": pool, "ClientId": client, "ChallengeName": challenge["ChallengeName"], "Session": challenge["Session"]}
    assert cognito.admin_respond_to_auth_challenge(**to, ChallengeResponses=answer)["AuthenticationResult"]["IdToken"]


def code(key):
    """What the app shows (RFC 6238)."""
    digest = hmac.digest(base64.b32decode(key + "=" * (-len(key) % 8)), struct.pack(">Q", int(time.time()) // 30), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 10**6:06}"
