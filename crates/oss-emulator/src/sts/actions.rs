//! Who calls, and what the three actions answer.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use http::Method;
use http::header::AUTHORIZATION;

use crate::config::AccessKey;
use crate::peers::{Desk, Issued, Session};
use crate::sts::parameters::Parameters;
use crate::sts::role::{Role, Wish};
use crate::sts::speech::{Answer, Node, Refusal};
use crate::sts::{Call, StsRefusal, acs3, rpc};
use crate::time::{iso_seconds, parse_iso_extended};

/// Finds the action, verifies the caller, and does it.
pub(crate) fn perform(call: &Call, parameters: &Parameters, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    if ![Method::GET, Method::POST].contains(&call.method) {
        let why = "This http method is not supported.";
        return Err(Refusal::new(403, "UnsupportedHTTPMethod", why));
    }
    let action = Action::of(parameters)?;
    let counters = &mut desk.state.counters;
    *match action {
        Action::AssumeRole => &mut counters.assume_role,
        Action::AssumeRoleWithOidc => &mut counters.assume_role_with_oidc,
        Action::GetCallerIdentity => &mut counters.caller_identity,
    } += 1;
    if let Some(refusal) = desk.state.sts.next_refusal() {
        return Err(told(refusal));
    }
    match action {
        Action::AssumeRoleWithOidc => assume_role_with_oidc(parameters, desk),
        Action::AssumeRole => {
            let key_id = verify(call, parameters, desk)?;
            assume_role(&key_id, parameters, desk)
        }
        Action::GetCallerIdentity => verify(call, parameters, desk).map(|id| caller_identity(&id, desk)),
    }
}

#[derive(Clone, Copy)]
enum Action {
    AssumeRole,
    AssumeRoleWithOidc,
    GetCallerIdentity,
}

impl Action {
    fn of(parameters: &Parameters) -> Result<Self, Refusal> {
        let format = parameters.value("Format").unwrap_or("json");
        if !["json", "xml"].iter().any(|known| known.eq_ignore_ascii_case(format)) {
            let why = "Specified parameter Format is not valid.";
            return Err(Refusal::new(400, "InvalidParameter.Format", why));
        }
        if parameters.version()? != "2015-04-01" {
            let why = "Specified parameter Version is not valid.";
            return Err(Refusal::new(400, "InvalidVersion", why));
        }
        match parameters.action()? {
            "AssumeRole" => Ok(Self::AssumeRole),
            "AssumeRoleWithOIDC" => Ok(Self::AssumeRoleWithOidc),
            "GetCallerIdentity" => Ok(Self::GetCallerIdentity),
            _ => {
                let why = "Specified api is not found, please check your url and method.";
                Err(Refusal::new(404, "InvalidAction.NotFound", why))
            }
        }
    }
}

fn told(refusal: StsRefusal) -> Refusal {
    match refusal {
        StsRefusal::Throttling => {
            let why = "Request was denied due to user flow control.";
            Refusal::new(400, "Throttling.User", why)
        }
        StsRefusal::InternalError => {
            Refusal::new(500, "InternalError", "STS Server Internal Error happened.")
        }
        StsRefusal::Unavailable => {
            let why = "The request has failed due to a temporary failure of the server.";
            Refusal::new(503, "ServiceUnavailable", why)
        }
    }
}

/// What a signed call says about who signed it.
pub(crate) struct Proof {
    pub(crate) key_id: String,
    pub(crate) nonce: String,
    pub(crate) signature: String,
    pub(crate) token: Option<String>,
    pub(crate) string_to_sign: String,
    /// Of ACS3; RPC signs its string directly.
    pub(crate) canonical_request: Option<String>,
}

/// The id of the access key that signed the call.
fn verify(call: &Call, parameters: &Parameters, desk: &mut Desk<'_>) -> Result<String, Refusal> {
    let is_acs3 = parameters.is_acs3;
    if is_acs3 && call.header(AUTHORIZATION.as_str()).is_none() {
        return Err(Refusal::missing("Authorization"));
    }
    let proof = if is_acs3 { acs3::proof(call, desk.now)? } else { rpc::proof(call, parameters, desk.now)? };
    let key = desk.config.key(&proof.key_id).ok_or_else(|| {
        Refusal::new(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    })?;
    check_token(key, proof.token.as_deref(), desk.now)?;
    let signature = if is_acs3 { acs3::signature } else { rpc::signature };
    if signature(&key.secret, &proof.string_to_sign) != proof.signature {
        let text = &proof.string_to_sign;
        let why = match proof.canonical_request {
            Some(canonical) => format!(
                "Specified signature does not match our calculation. server StringToSign is [{text}] server \
                 CanonicalRequest is [{canonical}]"
            ),
            None => {
                format!(
                    "Specified signature is not matched with our calculation. server string to sign is:{text}"
                )
            }
        };
        return Err(Refusal::new(400, "SignatureDoesNotMatch", why));
    }
    desk.state.sts.take_nonce(&proof.key_id, &proof.nonce, desk.now)?;
    Ok(proof.key_id)
}

fn check_token(key: &AccessKey, token: Option<&str>, now: Duration) -> Result<(), Refusal> {
    let (code, why) = match (&key.token, token) {
        (None, None) => return Ok(()),
        (None, Some(_)) => (
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.",
        ),
        (Some(_), None) => ("MissingSecurityToken", "SecurityToken is mandatory for this action."),
        (Some(known), Some(token)) if known.text != token => {
            ("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
        }
        (Some(known), Some(_)) if now >= known.expires_at => {
            ("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
        }
        (Some(_), Some(_)) => return Ok(()),
    };
    Err(Refusal::new(400, code, why))
}

/// The time at which a call was signed may lie this far back, and a little ahead.
pub(crate) fn check_time(text: &str, late_max: Duration, now: Duration) -> Result<(), Refusal> {
    let Some(signed_at) = parse_iso_extended(text) else {
        let why = "Specified time stamp or date value is not well formatted.";
        return Err(Refusal::new(400, "InvalidTimeStamp.Format", why));
    };
    if now > signed_at + late_max || signed_at > now.saturating_add(EARLY_MAX) {
        let why = "Specified time stamp or date value is expired.";
        return Err(Refusal::new(400, "InvalidTimeStamp.Expired", why));
    }
    Ok(())
}

fn assume_role(key_id: &str, parameters: &Parameters, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    let wish = Wish::of(parameters)?;
    let role = role(&wish, desk)?;
    let is_trusted = role.external_id.is_none() || role.external_id == wish.external_id;
    if desk.config.peers.denied.contains(key_id) || !is_trusted {
        let why = "You are not authorized to do this action. You should be authorized by RAM.";
        return Err(Refusal::new(403, "NoPermission", why));
    }
    let nodes = start(&wish, &role, desk)?;
    Ok(Answer { root: "AssumeRoleResponse", nodes })
}

fn assume_role_with_oidc(parameters: &Parameters, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
    let provider = parameters.required("OIDCProviderArn")?.to_owned();
    let token = parameters.required("OIDCToken")?.to_owned();
    let wish = Wish::of(parameters)?;
    if !(4..=20_000).contains(&token.chars().count()) {
        return Err(Refusal::wrong("OIDCToken"));
    }
    if !desk.config.peers.oidc.iter().any(|known| known.provider_arn == provider) {
        let why = "No such OIDC Provider registered.";
        return Err(Refusal::new(401, "AuthenticationFail.NoPermission", why));
    }
    let known =
        desk.config.peers.oidc.iter().find(|known| known.provider_arn == provider && known.token == token);
    let Some(known) = known.cloned() else {
        let why = "The Jwt content is invalid that cannot be recognized.";
        return Err(Refusal::new(401, "AuthenticationFail.OIDCToken.Invalid", why));
    };
    if desk.now >= known.expires_at {
        let why = "This JsonWebToken is expired.";
        return Err(Refusal::new(401, "AuthenticationFail.OIDCToken.Expired", why));
    }
    let role = role(&wish, desk)?;
    let mut nodes = start(&wish, &role, desk)?;
    nodes.push(Node::Group(
        "OIDCTokenInfo",
        vec![
            Node::text("Subject", "system:serviceaccount:default:emulator"),
            Node::text("Issuer", "https://oidc.emulator.invalid"),
            Node::text("ClientIds", "sts.aliyuncs.com"),
            Node::text("ExpirationTime", iso_seconds(known.expires_at)),
            Node::text("VerificationInfo", "Success"),
        ],
    ));
    Ok(Answer { root: "AssumeRoleWithOIDCResponse", nodes })
}

fn role(wish: &Wish, desk: &Desk<'_>) -> Result<Role, Refusal> {
    let role = desk.config.peers.roles.iter().find(|role| role.arn == wish.role_arn);
    role.cloned().ok_or_else(|| Refusal::new(404, "EntityNotExist.Role", "The specified Role not exists."))
}

/// Starts a session: new credentials, and what the answer says about them.
fn start(wish: &Wish, role: &Role, desk: &mut Desk<'_>) -> Result<Vec<Node>, Refusal> {
    let lifetime = wish.lifetime(role)?;
    let session = Session { role_arn: role.arn.clone(), name: wish.session_name.clone() };
    let user = vec![
        Node::text("Arn", format!("{}/{}", session.role_arn, session.name)),
        Node::text("AssumedRoleId", session.principal_id()),
    ];
    let Issued { id, secret, token, expires_at, .. } = desk.issue(session, lifetime);
    let credentials = vec![
        Node::text("SecurityToken", token),
        Node::text("AccessKeyId", id),
        Node::text("AccessKeySecret", secret),
        Node::text("Expiration", iso_seconds(expires_at)),
    ];
    let mut nodes = vec![Node::Group("AssumedRoleUser", user), Node::Group("Credentials", credentials)];
    nodes.extend(wish.source_identity.as_ref().map(|identity| Node::text("SourceIdentity", identity)));
    Ok(nodes)
}

fn caller_identity(key_id: &str, desk: &Desk<'_>) -> Answer {
    let owner = &desk.config.owner_id;
    let session = desk.config.key(key_id).and_then(|key| key.session.as_ref());
    let nodes = match session {
        Some(session) => {
            let (account, role, name) = (session.account(), session.role_name(), &session.name);
            vec![
                Node::text("IdentityType", "AssumedRoleUser"),
                Node::text("AccountId", account),
                Node::text("RoleId", session.role_id()),
                Node::text("PrincipalId", session.principal_id()),
                Node::text("Arn", format!("acs:ram::{account}:assumed-role/{role}/{name}")),
            ]
        }
        None => vec![
            Node::text("IdentityType", "RAMUser"),
            Node::text("AccountId", owner),
            Node::text("UserId", owner),
            Node::text("PrincipalId", owner),
            Node::text("Arn", format!("acs:ram::{owner}:user/{key_id}")),
        ],
    };
    Answer { root: "GetCallerIdentityResponse", nodes }
}

/// The documents say nothing of a clock that is fast; older ones speak of 15 minutes both ways.
const EARLY_MAX: Duration = Duration::from_secs(15 * 60);
