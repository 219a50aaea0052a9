//! How STS speaks: answers and refusals, as JSON or as XML.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::json::quoted;
use crate::reply::{Reply, plain};
use crate::xml::Document;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Xml,
}

/// A named text, or a named group of them.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(&'static str, String),
    Group(&'static str, Vec<Self>),
}

impl Node {
    pub(crate) fn text(name: &'static str, value: impl ToString) -> Self {
        Self::Text(name, value.to_string())
    }

    fn json(nodes: &[Self]) -> String {
        let members = nodes.iter().map(|node| match node {
            Self::Text(name, value) => format!("{}:{}", quoted(name), quoted(value)),
            Self::Group(name, nodes) => format!("{}:{}", quoted(name), Self::json(nodes)),
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    fn xml(&self, document: &mut Document) {
        match self {
            Self::Text(name, value) => document.text(name, value),
            Self::Group(name, nodes) => {
                document.open(name);
                nodes.iter().for_each(|node| node.xml(document));
                document.close();
            }
        }
    }
}

/// What a call that succeeded says.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// `AssumeRoleResponse` and so on.
    pub(crate) root: &'static str,
    pub(crate) nodes: Vec<Node>,
}

impl Answer {
    pub(crate) fn reply(mut self, format: Format, request_id: &str, now: Duration) -> Reply {
        self.nodes.insert(0, Node::text("RequestId", request_id));
        said(200, format, self.root, &self.nodes, request_id, now)
    }
}

/// Why STS refuses a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    pub(crate) code: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl Refusal {
    pub(crate) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    pub(crate) fn missing(name: &'static str) -> Self {
        Self::new(400, format!("Missing{name}"), format!("{name} is mandatory for this action."))
    }

    /// A parameter with a wrong form; `name` is that of the code, `InvalidParameter.<name>`.
    pub(crate) fn wrong(name: &'static str) -> Self {
        let message = format!("The parameter {name} is wrongly formed.");
        Self::new(400, format!("InvalidParameter.{name}"), message)
    }

    pub(crate) fn reply(&self, format: Format, request_id: &str, host: &str, now: Duration) -> Reply {
        let recommend = format!("https://api.aliyun.com/troubleshoot?q={}&product=Sts", self.code);
        let nodes = vec![
            Node::text("RequestId", request_id),
            Node::text("Message", &self.message),
            Node::text("Recommend", recommend),
            Node::text("HostId", host),
            Node::text("Code", &self.code),
        ];
        said(self.status, format, "Error", &nodes, request_id, now)
    }
}

fn said(
    status: u16,
    format: Format,
    root: &'static str,
    nodes: &[Node],
    request_id: &str,
    now: Duration,
) -> Reply {
    let headers = [("x-acs-request-id", request_id)];
    match format {
        Format::Json => plain(status, "application/json;charset=utf-8", &headers, Node::json(nodes), now),
        Format::Xml => {
            let mut document = Document::new(root);
            nodes.iter().for_each(|node| node.xml(&mut document));
            plain(status, "text/xml;charset=utf-8", &headers, document.finish(), now)
        }
    }
}
