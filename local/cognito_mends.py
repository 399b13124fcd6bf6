"""Cognito of the local AWS, mended: a user pool's issuer is where its discovery document is.

ministack names AWS's own address in tokens and in the document, so a client that looks there, as OpenID Connect asks it to, would end up
at AWS. And it has no ProviderURL, which is that issuer:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html
"""

import json

from ministack.services import cognito
from ministack.services.cloudformation import provisioners


def mend():
    cognito._signed_jwt = issued_here(cognito._signed_jwt)
    cognito.well_known_openid_configuration = found_here(cognito.well_known_openid_configuration)
    provisioners._cognito_user_pool_attributes = with_provider_url(provisioners._cognito_user_pool_attributes)


def issuer(pool_id):
    return f"http://{cognito._MINISTACK_HOST}:{cognito._MINISTACK_PORT}/{pool_id}"


def issued_here(sign):
    def signed_jwt(claims, pool_id="", use=""):
        return sign({**claims, "iss": issuer(pool_id)} if pool_id else claims, pool_id, use)

    return signed_jwt


def found_here(describe):
    def well_known_openid_configuration(pool_id, *request):
        status, headers, body = describe(pool_id, *request)
        return status, headers, json.dumps({**json.loads(body), "issuer": issuer(pool_id)}).encode()

    return well_known_openid_configuration


def with_provider_url(attributes):
    return lambda pool_id: {**attributes(pool_id), "ProviderURL": issuer(pool_id)}
