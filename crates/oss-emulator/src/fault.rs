//! Refusals: the code, status, EC and extra elements of an error document (OSS document "Error responses").

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use http::{HeaderName, HeaderValue, StatusCode};

use crate::xml::Document;

/// Why a request is refused, before it has a request id.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    code: &'static str,
    ec: &'static str,
    message: Cow<'static, str>,
    details: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Fault {
    pub(crate) fn new(
        status: u16,
        code: &'static str,
        ec: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, ec, message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    /// Adds an element to the document.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// Adds a header to the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn invalid_argument(
        name: &'static str,
        value: &str,
        ec: &'static str,
        why: &'static str,
    ) -> Self {
        Self::new(400, "InvalidArgument", ec, why).with("ArgumentName", name).with("ArgumentValue", value)
    }

    /// A malformed credential, date or `Authorization` header.
    pub(crate) fn bad_authorization(ec: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "InvalidArgument", ec, why)
    }

    pub(crate) fn access_denied(ec: &'static str, why: &'static str) -> Self {
        Self::new(403, "AccessDenied", ec, why)
    }

    pub(crate) fn not_implemented(what: &str) -> Self {
        let why = format!("A parameter you provided implies functionality that is not implemented: {what}.");
        Self::new(501, "NotImplemented", "", why)
    }

    /// A header that this call does not take; OSS answers 400 here, not 501.
    pub(crate) fn header_not_implemented(header: &str) -> Self {
        Self::new(
            400,
            "NotImplemented",
            "0017-00000245",
            "A header you provided implies functionality that is not implemented.",
        )
        .with("Header", header)
    }

    pub(crate) fn method_not_allowed(method: &str, resource: &'static str) -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            "0003-00000016",
            "The specified method is not allowed against this resource.",
        )
        .with("Method", method)
        .with("ResourceType", resource)
    }

    pub(crate) fn no_such_bucket(bucket: &str) -> Self {
        Self::new(404, "NoSuchBucket", "0015-00000101", "The specified bucket does not exist.")
            .with("BucketName", bucket)
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::new(404, "NoSuchKey", "0026-00000001", "The specified key does not exist.").with("Key", key)
    }

    pub(crate) fn no_such_upload(id: &str) -> Self {
        let why = "The specified upload does not exist. The upload ID may be invalid, or the upload may have \
                   been aborted or completed.";
        Self::new(404, "NoSuchUpload", "0017-00000244", why).with("UploadId", id)
    }

    pub(crate) fn malformed_xml(detail: impl Into<String>) -> Self {
        Self::new(
            400,
            "MalformedXML",
            "0031-00000001",
            "The XML you provided was not well-formed or did not \
            validate against our published schema.",
        )
        .with("ErrorDetail", detail)
    }

    pub(crate) fn entity_too_large(max: u64) -> Self {
        let why = "Your proposed upload exceeds the maximum allowed size.";
        Self::new(400, "EntityTooLarge", "", why).with("MaxSizeAllowed", max.to_string())
    }

    pub(crate) fn precondition_failed(condition: &str) -> Self {
        let why = "At least one of the pre-conditions you specified did not hold.";
        Self::new(412, "PreconditionFailed", "0017-00001001", why).with("Condition", condition)
    }

    pub(crate) fn ec(&self) -> &'static str {
        self.ec
    }

    /// The error document; element order follows the vendor's samples.
    pub(crate) fn document(&self, request_id: &str, host: &str) -> String {
        let mut document = Document::new("Error");
        document.text("Code", self.code);
        document.text("Message", &self.message);
        document.text("RequestId", request_id);
        document.text("HostId", host);
        for (name, value) in &self.details {
            document.text(name, value);
        }
        if !self.ec.is_empty() {
            document.text("EC", self.ec);
            document.text("RecommendDoc", &("https://api.aliyun.com/troubleshoot?q=".to_owned() + self.ec));
        }
        document.finish()
    }
}
