//! Which proxy a request goes through, if any: what the program says, or its environment.

use alloc::sync::Arc;
use core::fmt;

use base64ct::{Base64, Encoding as _};
use http::HeaderValue;
use http::uri::Authority;
use oss_proto::{Error, InvalidRequest, InvalidValue};
use percent_encoding::percent_decode_str;

use crate::connect::Origin;
use crate::no_proxy::NoProxy;

/// Through which forwarding proxies requests go; none unless it is said.
///
/// A proxy's URL is `http://host:port` or `https://host:port` (TLS to the proxy itself), with
/// `user:password@` before the host when it wants them; characters with a meaning in a URL are
/// percent-encoded there. Without a scheme it is `http`, without a port 80 or 443. Requests to `http`
/// endpoints are sent to the proxy as they are, those to `https` endpoints through a tunnel (`CONNECT`), in
/// which it sees nothing but the host's name.
///
/// ```
/// use oss_hyper::Proxy;
///
/// let proxy = Proxy::all("http://user:secret@proxy.example:3128")?.except("10.0.0.0/8, .internal");
/// assert_eq!(format!("{proxy:?}").matches("secret").count(), 0);
/// assert!(Proxy::all("socks5://proxy.example:1080").is_err());
/// # Ok::<(), oss_hyper::ProxyError>(())
/// ```
#[derive(Clone, Default)]
pub struct Proxy {
    http: Option<Arc<Via>>,
    https: Option<Arc<Via>>,
    except: NoProxy,
}

/// One proxy.
pub(crate) struct Via {
    pub(crate) is_tls: bool,
    /// Host and port, without user and password.
    pub(crate) authority: Authority,
    pub(crate) authorization: Option<HeaderValue>,
}

/// Why a proxy's URL is none. It shows neither user nor password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// A scheme that is not spoken, `socks5` for one.
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// There is no host, or what stands there is none.
    Host {
        /// The URL, its user and password masked.
        url: String,
    },
    /// User or password cannot be sent: they hold a control character, or the user a colon.
    Credentials {
        /// The URL, its user and password masked.
        url: String,
    },
    /// A variable of the environment holds a URL that is none.
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong with the URL.
        problem: Box<Self>,
    },
}

impl Proxy {
    /// No proxy, whatever the environment says: the default.
    pub fn none() -> Self {
        Self::default()
    }

    /// This proxy for every request.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn all(url: &str) -> Result<Self, ProxyError> {
        let via = Via::parse(url)?;
        Ok(Self { http: via.clone(), https: via, except: NoProxy::default() })
    }

    /// This proxy for requests to `http` endpoints; an empty text is none.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn http(mut self, url: &str) -> Result<Self, ProxyError> {
        self.http = Via::parse(url)?;
        Ok(self)
    }

    /// This proxy for requests to `https` endpoints; an empty text is none.
    ///
    /// # Errors
    /// When the URL is none.
    pub fn https(mut self, url: &str) -> Result<Self, ProxyError> {
        self.https = Via::parse(url)?;
        Ok(self)
    }

    /// Reaches these hosts without a proxy; a list with commas, as `NO_PROXY` holds it, in addition to what
    /// was said before.
    ///
    /// `example.com` is that host and its subdomains, `.example.com` the subdomains alone, `10.0.0.1` and
    /// `[::1]` an address, `10.0.0.0/8` a network, `*` everything; `:port` after a host or an address means
    /// that port alone. An address matches what the endpoint's URL says: no name is looked up for it.
    #[must_use]
    pub fn except(mut self, list: &str) -> Self {
        self.except.add(list);
        self
    }

    /// What the environment of the program says, read once, now; see [`from_vars`](Self::from_vars).
    ///
    /// # Errors
    /// When a variable holds a URL that is none.
    pub fn from_env() -> Result<Self, ProxyError> {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    /// What these variables say: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, in lower case
    /// first, then in upper case. An empty one counts as absent.
    ///
    /// Where `REQUEST_METHOD` is set, `HTTP_PROXY` is not looked at: in a CGI program that is a header of
    /// whoever asks (CVE-2016-5385).
    ///
    /// # Errors
    /// When a variable holds a URL that is none.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let first = |names: &[&'static str]| {
            let mut held = names.iter().filter_map(|name| Some((*name, lookup(name)?)));
            held.find(|(_, value)| !value.trim().is_empty())
        };
        let via = |names: &[&'static str]| {
            let Some((name, url)) = first(names) else { return Ok(None) };
            Via::parse(&url).map_err(|problem| ProxyError::Variable { name, problem: Box::new(problem) })
        };
        let is_cgi = lookup("REQUEST_METHOD").is_some();
        let http: &[_] = match is_cgi {
            // There, both are the same variable.
            true if cfg!(windows) => &[],
            true => &["http_proxy"],
            false => &["http_proxy", "HTTP_PROXY"],
        };
        let all = via(&["all_proxy", "ALL_PROXY"])?;
        let mut proxy = Self {
            http: via(http)?.or_else(|| all.clone()),
            https: via(&["https_proxy", "HTTPS_PROXY"])?.or(all),
            except: NoProxy::default(),
        };
        if let Some((_, list)) = first(&["no_proxy", "NO_PROXY"]) {
            proxy.except.add(&list);
        }
        Ok(proxy)
    }

    /// The proxy on the way to this origin.
    pub(crate) fn to(&self, origin: &Origin) -> Option<&Arc<Via>> {
        let via = if origin.is_tls() { &self.https } else { &self.http }.as_ref()?;
        (!self.except.matches(origin.host(), origin.port())).then_some(via)
    }
}

impl Via {
    /// `None` for an empty text.
    fn parse(url: &str) -> Result<Option<Arc<Self>>, ProxyError> {
        let url = url.trim();
        if url.is_empty() {
            return Ok(None);
        }
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            other if is_scheme(other) => return Err(ProxyError::Scheme { scheme: other.to_owned() }),
            // What stands there may be half of a password that was not encoded.
            _ => return Err(ProxyError::Host { url: masked(url) }),
        };
        // With a path that is none, half of a password that was not encoded would be taken for the host.
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(ProxyError::Host { url: masked(url) });
        }
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        let bad_host = || ProxyError::Host { url: masked(url) };
        let authority: Authority = host.parse().map_err(|_| bad_host())?;
        let has_colon = host.rsplit(']').next().unwrap_or_default().contains(':');
        if authority.host().is_empty() || (authority.port_u16().is_none() && has_colon) {
            return Err(bad_host());
        }
        let authorization = match login {
            Some(login) => Some(basic(login).ok_or_else(|| ProxyError::Credentials { url: masked(url) })?),
            None => None,
        };
        Ok(Some(Arc::new(Self { is_tls, authority, authorization })))
    }

    /// The host without the brackets of an IPv6 address.
    pub(crate) fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_tls { 443 } else { 80 })
    }

    /// Host and port, for people.
    pub(crate) fn shown(&self) -> String {
        format!("{}:{}", self.authority.host(), self.port())
    }

    /// What a status that is no success says, where more is known than its number; the fix is said by the
    /// error's own line.
    pub(crate) fn meaning(&self, status: u16) -> &'static str {
        match status {
            407 if self.authorization.is_some() => ": it does not take the user and password of its URL",
            407 => ": it wants a user and a password",
            401 | 403 => ": it does not allow this host and port",
            _ => "",
        }
    }
}

/// The header for this user and password, both percent-encoded (RFC 7617).
fn basic(login: &str) -> Option<HeaderValue> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let user: Vec<u8> = percent_decode_str(user).collect();
    let password: Vec<u8> = percent_decode_str(password).collect();
    if user.contains(&b':') || user.iter().chain(&password).any(u8::is_ascii_control) {
        return None;
    }
    let pair = [&*user, b":", &*password].concat();
    let mut value = HeaderValue::try_from(format!("Basic {}", Base64::encode_string(&pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn is_scheme(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The URL without what may be user and password: everything before its last `@`; without one, for it may be
/// encoded by mistake, everything behind a colon that is no port.
fn masked(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        _ => (String::new(), url),
    };
    match (rest.rsplit_once('@'), rest.split_once(':')) {
        (Some((_, host)), _) => format!("{scheme}***@{host}"),
        (None, Some((user, port))) if !rest.starts_with('[') && !port.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{scheme}{user}:***")
        }
        (None, _) => format!("{scheme}{rest}"),
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        let login = if self.authorization.is_some() { "***@" } else { "" };
        write!(f, "{scheme}://{login}{}", self.shown())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |via: &Option<Arc<Via>>| via.as_ref().map(ToString::to_string);
        f.debug_struct("Proxy")
            .field("http", &shown(&self.http))
            .field("https", &shown(&self.https))
            .field("except", &self.except)
            .finish()
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme { scheme } => {
                write!(f, "`{scheme}` proxies are not supported; use one of http:// or https://")
            }
            Self::Host { url } => {
                write!(
                    f,
                    "`{url}` names no proxy; write http://host:port, with `@`, `/` and `#` in a user or "
                )?;
                f.write_str("password percent-encoded")
            }
            Self::Credentials { url } => {
                write!(
                    f,
                    "user and password of `{url}` hold a control character, or the user a colon; HTTP "
                )?;
                f.write_str("cannot express that, choose others")
            }
            Self::Variable { name, problem } => write!(f, "{name} of the environment: {problem}"),
        }
    }
}

impl core::error::Error for ProxyError {}

impl From<ProxyError> for Error {
    fn from(error: ProxyError) -> Self {
        InvalidRequest::new("a request", "proxy", InvalidValue::new(error.to_string())).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(url: &str) -> String {
        let via = Via::parse(url).unwrap().unwrap();
        let authorization = via.authorization.as_ref().map_or("", |value| value.to_str().unwrap());
        format!("{via} {} {} {authorization}", via.host(), via.port())
    }

    #[test]
    fn a_proxys_url_has_a_host_and_may_have_a_port_and_a_login() {
        let cases = [
            ("http://proxy.example:3128", "http://proxy.example:3128 proxy.example 3128 "),
            ("proxy.example:3128", "http://proxy.example:3128 proxy.example 3128 "),
            (" HTTPS://proxy.example/ ", "https://proxy.example:443 proxy.example 443 "),
            ("http://10.0.0.1", "http://10.0.0.1:80 10.0.0.1 80 "),
            ("http://[::1]:8080", "http://[::1]:8080 ::1 8080 "),
            ("http://[::1]", "http://[::1]:80 ::1 80 "),
            // RFC 7617: base64 of `Aladdin:open sesame`.
            ("http://Aladdin:open%20sesame@p:1", "http://***@p:1 p 1 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("http://u%40v:p%3Aw@p:1", "http://***@p:1 p 1 Basic dUB2OnA6dw=="),
            ("http://u:p:w@p:1", "http://***@p:1 p 1 Basic dTpwOnc="),
            ("http://u@p:1", "http://***@p:1 p 1 Basic dTo="),
            ("u:p@w@p:1", "http://***@p:1 p 1 Basic dTpwQHc="),
        ];
        for (url, expected) in cases {
            assert_eq!(via(url), expected, "{url}");
        }
        assert!(Via::parse("  ").unwrap().is_none());
    }

    #[test]
    fn what_is_no_proxys_url_is_refused_and_its_login_not_shown() {
        let host = |url: &str| {
            format!(
                "`{url}` names no proxy; write http://host:port, with `@`, `/` and `#` in a user or \
                 password percent-encoded"
            )
        };
        let cases = [
            (
                "socks5://u:hidden@p:1",
                "`socks5` proxies are not supported; use one of http:// or https://".into(),
            ),
            ("http://", host("http://")),
            ("http://u:hidden@", host("http://***@")),
            ("http://u:hid/den@p:1", host("http://***@p:1")),
            ("http://u:hid#den@p:1", host("http://***@p:1")),
            ("u:hid://den@p:1", host("***@p:1")),
            ("hidden@x://p:1", host("***@x://p:1")),
            ("http://u:hidden@p:x", host("http://***@p:x")),
            ("http://u:hidden%40p:1", host("http://u:***")),
            ("u:hidden", host("u:***")),
            ("http://[::1]:x", host("http://[::1]:x")),
            ("http://p:99999", host("http://p:99999")),
            ("http://p q", host("http://p q")),
            (
                "http://u:hidden%0A@p:1",
                "user and password of `http://***@p:1` hold a control character, or the user a colon; HTTP \
                 cannot express that, choose others"
                    .into(),
            ),
        ];
        for (url, expected) in cases {
            let error = Proxy::all(url).unwrap_err();
            assert_eq!(error.to_string(), expected, "{url}");
            assert!(!format!("{error:?}").contains("hid"), "{error:?}");
            assert!(Error::from(error).to_string().starts_with("cannot send a request: proxy: "));
        }
        assert!(matches!(Proxy::all("http://a%3Ab:c@p:1"), Err(ProxyError::Credentials { .. })));
    }

    #[test]
    fn the_environment_is_read_in_lower_case_first_and_a_cgi_programs_header_not_at_all() {
        let read = |vars: &[(&str, &str)]| {
            let found = |name: &str| vars.iter().find(|(known, _)| *known == name);
            Proxy::from_vars(|name| Some(found(name)?.1.to_owned()))
        };
        let cases: [(&[(&str, &str)], &str); 9] = [
            (&[], "None None"),
            (&[("http_proxy", "a:1"), ("HTTP_PROXY", "b:1")], "http://a:1 None"),
            (&[("http_proxy", ""), ("HTTP_PROXY", "b:1")], "http://b:1 None"),
            (&[("HTTP_PROXY", "b:1"), ("REQUEST_METHOD", "GET")], "None None"),
            (&[("http_proxy", "a:1"), ("REQUEST_METHOD", "")], "http://a:1 None"),
            (&[("HTTPS_PROXY", "b:1"), ("REQUEST_METHOD", "GET")], "None http://b:1"),
            (&[("ALL_PROXY", "c:1")], "http://c:1 http://c:1"),
            (&[("all_proxy", "c:1"), ("https_proxy", "https://u:p@d:1")], "http://c:1 https://***@d:1"),
            (
                &[("ALL_PROXY", "c:1"), ("HTTP_PROXY", "b:1"), ("REQUEST_METHOD", "GET")],
                "http://c:1 http://c:1",
            ),
        ];
        for (vars, expected) in cases {
            let proxy = read(vars).unwrap();
            let shown =
                |via: &Option<Arc<Via>>| via.as_ref().map_or_else(|| "None".into(), ToString::to_string);
            let both = format!("{} {}", shown(&proxy.http), shown(&proxy.https));
            assert_eq!(both, expected, "{vars:?}");
        }
        let origin = |uri: &str| Origin::of(&uri.parse().unwrap()).unwrap();
        let proxy = read(&[("all_proxy", "c:1"), ("NO_PROXY", "in.example")]).unwrap();
        assert!(proxy.to(&origin("https://b.in.example/")).is_none());
        assert!(proxy.to(&origin("https://b.out.example/")).is_some());
        let error = read(&[("all_proxy", "socks5h://u:p@h:1")]).unwrap_err().to_string();
        assert!(error.starts_with("all_proxy of the environment: `socks5h` proxies are not"), "{error}");
    }

    #[test]
    fn any_text_is_a_proxy_or_an_error_and_what_stands_before_its_last_at_is_not_shown() {
        let parts = ["http", "://", ":", "@", "[", "]", "%", "4", "/", "?", "#", ".", " ", "é", "p", "\n"];
        let mut state = 1_usize;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..50_000 {
            let text = |next: &mut dyn FnMut(usize) -> usize| {
                (0..next(8)).map(|_| parts[next(parts.len())]).collect::<String>()
            };
            let url = format!("http://{}SECRET{}@{}", text(&mut next), text(&mut next), text(&mut next));
            let shown = match Proxy::all(&url) {
                Ok(proxy) => format!("{proxy:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(!shown.contains("SECRET"), "{url:?}: {shown}");
            let _any = Proxy::none().except(&text(&mut next));
        }
    }

    #[test]
    fn a_proxy_is_shown_without_its_login() {
        let proxy = Proxy::none().https("https://user:hidden@p.example").unwrap().except("*.x:1");
        let shown = format!("{proxy:?}");
        assert!(shown.contains("https: Some(\"https://***@p.example:443\")"), "{shown}");
        assert!(!shown.contains("hidden") && !shown.contains("user"), "{shown}");
    }
}
