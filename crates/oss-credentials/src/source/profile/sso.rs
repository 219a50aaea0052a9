//! Credentials for whoever has logged in to CloudSSO with the vendor's command line tool.

use oss_sign::UnixTime;

use crate::json::Object;
use crate::lookup::{ANSWER_BYTES_MAX, Place};
use crate::search::{Context, Input, Procedure, Turn};
use crate::source::profile::cli::{required, setting};
use crate::source::{read, uri};
use crate::{Answer, CredentialError, HttpLookup, Lookup, Secret, SourceName};

/// Shows the login at the host of the sign-in URL.
#[derive(Debug)]
pub(crate) struct AskCloudSso {
    place: Place,
    token: Secret,
    body: Secret,
}

impl AskCloudSso {
    pub(crate) fn new(profile: &Object, wall: UnixTime) -> Result<Self, CredentialError> {
        let url = required(profile, "cloud_sso_sign_in_url")?;
        let (place, _) =
            uri::parse(url.expose(), false).map_err(|problem| setting("cloud_sso_sign_in_url", problem))?;
        let token = required(profile, "access_token")?.clone();
        if token.expose().bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(setting("access_token", "has a byte that no header can carry: log in again"));
        }
        let end = profile.number("cloud_sso_access_token_expire").map(UnixTime::from_secs);
        if end.is_some_and(|end| end <= wall) {
            return Err(setting("the login", "has ended: log in with the tool again"));
        }
        let id = |name| {
            let id = required(profile, name)?;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            match id.expose().bytes().all(is_plain) {
                true => Ok(id.expose()),
                false => Err(setting(name, "is no id: log in with the tool again")),
            }
        };
        let (account, access) = (id("cloud_sso_account_id")?, id("cloud_sso_access_config")?);
        let body =
            Secret::concat(&["{\"AccountId\":\"", account, "\",\"AccessConfigurationId\":\"", access, "\"}"]);
        Ok(Self { place, token, body })
    }
}

impl Procedure for AskCloudSso {
    fn name(&self) -> SourceName {
        SOURCE
    }

    fn step(&mut self, input: Input, _: &mut Context<'_>) -> Turn {
        let answer = match input {
            Input::Begin => return Turn::Ask,
            Input::Answer(Answer::Http(answer)) => answer,
            Input::Answer(other) => return read::no_answer(SOURCE, other),
            Input::Found(_) | Input::Absent => {
                return Turn::Broken(CredentialError::Mismatch { source: SOURCE });
            }
        };
        if answer.status != 200 {
            let status = answer.status;
            return Turn::Broken(CredentialError::Refused { source: SOURCE, status, code: None });
        }
        let read = read::object(SOURCE, &answer.body, ANSWER_BYTES_MAX).and_then(|object| {
            let missing = CredentialError::Missing { source: SOURCE, name: "CloudCredential" };
            read::temporary(SOURCE, object.object("CloudCredential").ok_or(missing)?, read::NAMES)
        });
        read.map_or_else(Turn::Broken, Turn::found)
    }

    fn question(&mut self, _: &mut Context<'_>) -> Lookup {
        let headers = [
            ("authorization", Secret::concat(&["Bearer ", self.token.expose()])),
            ("content-type", Secret::from("application/json")),
            ("accept", Secret::from("application/json")),
        ];
        let target = Secret::from("/cloud-credentials");
        Lookup::Http(HttpLookup {
            headers: headers.into(),
            body: self.body.clone(),
            ..HttpLookup::new("POST", self.place.clone(), target)
        })
    }
}

const SOURCE: SourceName = SourceName::CloudSso;
