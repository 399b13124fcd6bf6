//! Whom a KMS key's policy lets in. Only IAM knows in the end: a condition that cannot be judged here makes the answer unclear.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>

use crate::permissions::document::list;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A principal that is to use the key.
pub enum Who<'a> {
    Role {
        arn: &'a str,
        /// The ARN of its account's root, by which a policy leaves it to IAM who may.
        root: &'a str,
        /// Its own policies allow what is asked.
        allowed_by_iam: bool,
    },
    /// A service of AWS in its own name, such as `delivery.logs.amazonaws.com`.
    Service(&'a str),
}

/// What is known of a request, by the condition key in lower case.
pub type Known<'a> = BTreeMap<&'static str, &'a str>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    NotAllowed,
    /// By a statement of its own.
    Denied,
    Unclear,
}

/// True, false, or not to be told from here.
type Matches = Option<bool>;

pub fn judge(policy: &Value, key: &str, who: &Who<'_>, action: &str, known: &Known<'_>) -> Verdict {
    let matches = |effect: &'static str| {
        let statements = list(&policy["Statement"]).iter().filter(move |statement| statement["Effect"] == effect);
        any(statements.map(|statement| applies(statement, key, who, action, known)))
    };
    match (matches("Deny"), matches("Allow")) {
        (Some(true), _) => Verdict::Denied,
        (_, Some(false)) => Verdict::NotAllowed,
        (Some(false), Some(true)) => Verdict::Allowed,
        _ => Verdict::Unclear,
    }
}

fn applies(statement: &Value, key: &str, who: &Who<'_>, action: &str, known: &Known<'_>) -> Matches {
    let about = |part: &str, other: &str, is: &str| match (&statement[part], &statement[other]) {
        (Value::Null, Value::Null) => false,
        (Value::Null, all_but) => !texts(all_but).any(|pattern| like(pattern, is)),
        (some, _) => texts(some).any(|pattern| like(pattern, is)),
    };
    let is_about = about("Action", "NotAction", action) && about("Resource", "NotResource", key);
    all([Some(is_about), is_for(statement, who), holds(&statement["Condition"], known)])
}

/// The account as a principal allows what the policies of its roles allow; a denial to the account is one to all of them, but not to services.
fn is_for(statement: &Value, who: &Who<'_>) -> Matches {
    if statement.get("NotPrincipal").is_some() {
        return None;
    }
    let principal = &statement["Principal"];
    let named = if principal.is_object() { &principal["AWS"] } else { principal };
    let everybody = texts(named).any(|name| name == "*");
    let is_named = match who {
        Who::Role { arn, root, allowed_by_iam } => {
            let account = root.split(':').nth(4).unwrap_or_default();
            let counts_for_all = *allowed_by_iam || statement["Effect"] == "Deny";
            texts(named).any(|name| name == *arn || counts_for_all && (name == *root || name == account))
        }
        Who::Service(service) => texts(&principal["Service"]).any(|name| name == *service),
    };
    Some(everybody || is_named)
}

fn holds(condition: &Value, known: &Known<'_>) -> Matches {
    let none = Map::new();
    let operators = condition.as_object().unwrap_or(&none).iter();
    let keys =
        operators.flat_map(|(operator, keys)| keys.as_object().into_iter().flatten().map(move |(key, values)| (operator, key, values)));
    all(keys.map(|(operator, key, values)| {
        let is = known.get(key.to_lowercase().as_str())?;
        compare(operator.trim_end_matches("IfExists"), is, values)
    }))
}

fn compare(operator: &str, is: &str, values: &Value) -> Matches {
    let equal = || texts_and_bools(values).iter().any(|value| value == is);
    let alike = || texts(values).any(|pattern| like(pattern, is));
    match operator {
        "StringEquals" | "Bool" => Some(equal()),
        "StringNotEquals" => Some(!equal()),
        "StringLike" | "ArnLike" | "ArnEquals" => Some(alike()),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => Some(!alike()),
        _ => None,
    }
}

/// A false one decides, whatever the others are.
fn all(parts: impl IntoIterator<Item = Matches>) -> Matches {
    let parts: Vec<Matches> = parts.into_iter().collect();
    if parts.contains(&Some(false)) {
        return Some(false);
    }
    (!parts.contains(&None)).then_some(true)
}

fn any(parts: impl IntoIterator<Item = Matches>) -> Matches {
    all(parts.into_iter().map(|part| part.map(|is| !is))).map(|none| !none)
}

/// IAM's wildcards: `*` for any characters, `?` for one. The case of actions does not matter to IAM, and no two ARNs here differ by it alone.
fn like(pattern: &str, text: &str) -> bool {
    fn rest(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', more @ ..] => (0..=text.len()).any(|from| rest(more, &text[from..])),
            [one, more @ ..] => {
                text.split_first().is_some_and(|(first, left)| (*one == b'?' || one.eq_ignore_ascii_case(first)) && rest(more, left))
            }
        }
    }
    rest(pattern.as_bytes(), text.as_bytes())
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

/// A truth may stand without quotation marks.
fn texts_and_bools(value: &Value) -> Vec<String> {
    let text = |one: &Value| one.as_str().map(str::to_owned).or_else(|| one.as_bool().map(|is| is.to_string()));
    list(value).iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &str = "arn:aws:kms:us-west-2:222222222222:key/1";
    const ROLE: &str = "arn:aws:iam::222222222222:role/groundwork";
    const ROOT: &str = "arn:aws:iam::222222222222:root";

    fn allow(principal: Value, more: &Value) -> Value {
        let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"});
        for (field, value) in more.as_object().into_iter().flatten() {
            statement[field] = value.clone();
        }
        statement
    }

    fn deny(more: &Value) -> Value {
        let mut statement = allow(json!("*"), more);
        statement["Effect"] = json!("Deny");
        statement
    }

    fn verdict(statements: &Value, allowed_by_iam: bool) -> Verdict {
        let who = Who::Role { arn: ROLE, root: ROOT, allowed_by_iam };
        let known = Known::from([("kms:grantisforawsresource", "true"), ("aws:principalarn", ROLE), ("kms:calleraccount", "222222222222")]);
        judge(&json!({"Statement": statements}), KEY, &who, "kms:CreateGrant", &known)
    }

    #[test]
    fn somebody_is_let_in_by_name_by_the_account_or_with_everybody() {
        use Verdict::{Allowed, NotAllowed};
        for (principal, allowed_by_iam, expected, reason) in [
            (json!({"AWS": ROLE}), false, Allowed, "by name"),
            (json!({"AWS": ["arn:aws:iam::222222222222:user/ada", ROLE]}), false, Allowed, "among others"),
            (json!({"AWS": ROOT}), true, Allowed, "the account leaves it to its policies, which allow it"),
            (json!({"AWS": "222222222222"}), true, Allowed, "the account by its number"),
            (json!({"AWS": ROOT}), false, NotAllowed, "the same, but its policies do not: a service-linked role"),
            (json!("*"), false, Allowed, "everybody"),
            (json!({"AWS": "*"}), false, Allowed, "everybody, in other words"),
            (json!({"AWS": "arn:aws:iam::333333333333:root"}), true, NotAllowed, "another account"),
            (json!({"Service": "eks.amazonaws.com"}), true, NotAllowed, "a service"),
            (json!({"AWS": "AROAIDOFADELETEDROLE"}), true, NotAllowed, "a role that was deleted"),
        ] {
            assert_eq!(verdict(&json!([allow(principal, &json!({}))]), allowed_by_iam), expected, "{reason}");
        }
        assert_eq!(verdict(&json!([]), true), NotAllowed, "nobody");
        assert_eq!(verdict(&allow(json!("*"), &json!({})), true), Allowed, "a statement without a list around it");
    }

    #[test]
    fn a_service_is_let_in_by_its_name_or_with_everybody_and_is_nobody_of_the_account() {
        use Verdict::{Allowed, Denied, NotAllowed};
        let service = |name: &str| allow(json!({"Service": ["logs.amazonaws.com", name]}), &json!({}));
        let mut of_the_account = allow(json!({"AWS": ROOT}), &json!({}));
        of_the_account["Effect"] = json!("Deny");
        for (statements, expected, reason) in [
            (json!([service("delivery.logs.amazonaws.com")]), Allowed, "by name, among others"),
            (json!([service("s3.amazonaws.com")]), NotAllowed, "another service"),
            (json!([allow(json!({"AWS": ROOT}), &json!({}))]), NotAllowed, "no policy of the account's is about a service"),
            (json!([allow(json!({"AWS": "*"}), &json!({}))]), Allowed, "everybody"),
            (json!([service("delivery.logs.amazonaws.com"), of_the_account]), Allowed, "a denial to the account"),
            (json!([service("delivery.logs.amazonaws.com"), deny(&json!({}))]), Denied, "a denial to everybody"),
        ] {
            let who = Who::Service("delivery.logs.amazonaws.com");
            let verdict = judge(&json!({"Statement": statements}), KEY, &who, "kms:Decrypt", &Known::default());
            assert_eq!(verdict, expected, "{reason}");
        }
    }

    #[test]
    fn what_can_be_judged_is_judged_and_the_rest_is_unclear() {
        use Verdict::{Allowed, Denied, NotAllowed, Unclear};
        let to_all = |more: Value| allow(json!("*"), &more);
        let when = |operator: &str, key: &str, value: Value| json!({"Condition": {operator: {key: value}}});
        let open = to_all(json!({}));
        for (statements, expected, reason) in [
            (vec![to_all(json!({"Action": ["kms:Describe*", "kms:createGrant"]}))], Allowed, "one of several"),
            (vec![to_all(json!({"Action": "kms:Describe*"}))], NotAllowed, "another action"),
            (vec![to_all(json!({"Action": null, "NotAction": "kms:Decrypt"}))], Allowed, "all but another action"),
            (vec![to_all(json!({"Resource": "arn:aws:kms:us-west-2:222222222222:key/2"}))], NotAllowed, "another key"),
            (vec![to_all(when("Bool", "kms:GrantIsForAWSResource", json!(true)))], Allowed, "a service asks"),
            (vec![to_all(when("Bool", "kms:GrantIsForAWSResource", json!(["false"])))], NotAllowed, "only if none asks"),
            (vec![to_all(when("StringEquals", "kms:CallerAccount", json!("333333333333")))], NotAllowed, "another account's callers"),
            (vec![to_all(when("ArnLike", "aws:PrincipalArn", json!("arn:aws:iam::*:role/ground*")))], Allowed, "by a pattern"),
            (vec![to_all(when("StringEquals", "kms:EncryptionContext:team", json!("a")))], Unclear, "nobody knows what EKS sends"),
            (vec![to_all(when("DateLessThan", "kms:CallerAccount", json!("1")))], Unclear, "an operator that is not known here"),
            (vec![to_all(when("IpAddress", "aws:SourceIp", json!("10.0.0.0/8"))), open.clone()], Allowed, "another statement suffices"),
            (vec![open.clone(), deny(&json!({}))], Denied, "a denial wins"),
            (vec![open.clone(), deny(&when("StringNotEquals", "kms:CallerAccount", json!("222222222222")))], Allowed, "of others"),
            (vec![open.clone(), deny(&when("Bool", "aws:MultiFactorAuthPresent", json!("false")))], Unclear, "perhaps a denial"),
            (vec![deny(&when("Bool", "aws:MultiFactorAuthPresent", json!("false")))], NotAllowed, "nothing allows it anyway"),
            (vec![json!({"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}, "Action": "*", "Resource": "*"})], Unclear, "all but some"),
        ] {
            assert_eq!(verdict(&json!(statements), false), expected, "{reason}");
        }
    }
}
