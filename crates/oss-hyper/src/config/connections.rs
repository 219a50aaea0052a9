//! The half of a configuration that is about connections.

use oss_proto::{Error, InvalidValue};

use crate::client::invalid;
use crate::{Proxy, ProxyError, Transport, TransportBuilder};

/// How the client connects: over a transport of the caller's, or one made from these settings.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) shared: Option<Transport>,
    pub(super) own: TransportBuilder,
    /// The first setting that a shared transport would not honour.
    pub(super) setting: Option<&'static str>,
    pub(super) proxy: Option<Proxy>,
    pub(super) proxy_host: Option<String>,
    pub(super) proxy_from_environment: bool,
}

impl Connections {
    pub(super) fn make(self) -> Result<Transport, Error> {
        let proxy = self.proxy()?;
        match (self.shared, self.setting) {
            (Some(shared), None) => return Ok(shared),
            (Some(_), Some(setting)) => {
                let problem = "has no effect beside a `transport` of your own; set it on that one's builder";
                return Err(invalid(setting, InvalidValue::new(problem)));
            }
            (None, _) => {}
        }
        match proxy {
            Some((setting, proxy)) => self.own.called(setting, |own| own.proxy(proxy)).build(),
            None => self.own.build(),
        }
    }

    /// The proxy with the setting that says it. Of two that do, one would be ignored, and what goes past a
    /// proxy by mistake is not to be called back.
    fn proxy(&self) -> Result<Option<(&'static str, Proxy)>, Error> {
        let ways = [
            ("proxy_host", self.proxy_host.is_some()),
            ("proxy", self.proxy.is_some()),
            ("proxy_from_environment", self.proxy_from_environment),
        ];
        let mut said = ways.into_iter().filter(|(_, is_said)| *is_said).map(|(setting, _)| setting);
        let Some(setting) = said.next() else { return Ok(None) };
        if let Some(other) = said.next() {
            let problem = format!("`{other}` is set too, and each says all proxies; leave one of them out");
            return Err(invalid(setting, InvalidValue::new(problem)));
        }
        let proxy = match (&self.proxy_host, &self.proxy) {
            (Some(url), _) => Proxy::all(url),
            (None, Some(proxy)) => Ok(proxy.clone()),
            (None, None) => Proxy::from_env(),
        };
        Ok(Some((setting, proxy.map_err(|error| bad_proxy(setting, &error))?)))
    }
}

impl Default for Connections {
    fn default() -> Self {
        let own = Transport::builder();
        let (proxy, proxy_host, proxy_from_environment) = (None, None, false);
        Self { shared: None, own, setting: None, proxy, proxy_host, proxy_from_environment }
    }
}

fn bad_proxy(setting: &'static str, error: &ProxyError) -> Error {
    invalid(setting, InvalidValue::new(error.to_string()))
}
