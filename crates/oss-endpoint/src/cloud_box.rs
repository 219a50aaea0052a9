//! Cloud boxes: OSS on a customer's own premises, with hosts and a scope of signatures of its own.

use alloc::string::String;

use crate::endpoint::Endpoint;
use crate::error::{EndpointError, shown};
use crate::text::text;

/// The id of a cloud box, as in `cb-f8z7yvzgwfkl9q0h8abc`; it stands in a signature where the region goes.
///
/// It is a label of a host name, so its form is checked: `cb-`, then `a-z`, `0-9` and `-`, no `-` at the end,
/// at most 63 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloudBoxId(String);

impl CloudBoxId {
    /// Parses the id of a cloud box.
    ///
    /// # Errors
    ///
    /// [`EndpointError::CloudBox`] for a text of another form. The text is never trimmed or lower-cased.
    ///
    /// ```
    /// use oss_endpoint::CloudBoxId;
    ///
    /// assert_eq!(CloudBoxId::parse("cb-123")?.as_str(), "cb-123");
    /// assert!(CloudBoxId::parse("cn-hangzhou").is_err());
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    pub fn parse(text: impl Into<String>) -> Result<Self, EndpointError> {
        let text = text.into();
        match fault(&text) {
            None => Ok(Self(text)),
            Some(reason) => Err(EndpointError::CloudBox { value: shown(&text), reason }),
        }
    }
}

text!(CloudBoxId);

impl Endpoint {
    /// The id of the cloud box that the host is of, for a client that detects it
    /// (`enable_auto_detect_cloud_box_id`); `None` for every other host.
    ///
    /// The host is `{id}.{region}.oss-cloudbox.aliyuncs.com` for data or
    /// `{id}.{region}.oss-cloudbox-control.aliyuncs.com` for control: five labels, the first with `cb-` in
    /// front.
    ///
    /// ```
    /// use oss_endpoint::Endpoint;
    ///
    /// let endpoint = Endpoint::parse("cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com")?;
    /// assert_eq!(endpoint.cloud_box_id(), Some("cb-123"));
    /// assert_eq!(Endpoint::parse("oss-cn-hangzhou.aliyuncs.com")?.cloud_box_id(), None);
    /// # Ok::<(), oss_endpoint::EndpointError>(())
    /// ```
    #[must_use]
    pub fn cloud_box_id(&self) -> Option<&str> {
        let mut ends = [DATA, CONTROL].into_iter();
        let front = ends.find_map(|end| self.host().strip_suffix(end))?;
        let (id, region) = front.split_once('.')?;
        (id.starts_with(PREFIX) && !region.is_empty() && !region.contains('.')).then_some(id)
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix(PREFIX) else {
        return Some("start it with `cb-`, as in `cb-123`");
    };
    if rest.is_empty() || text.len() > LABEL_BYTES_MAX {
        return Some("use 4 to 63 characters");
    }
    if !rest.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Some("use only a-z, 0-9 and `-`");
    }
    if text.ends_with('-') {
        return Some("remove the `-` at the end");
    }
    None
}

const PREFIX: &str = "cb-";
const DATA: &str = ".oss-cloudbox.aliyuncs.com";
const CONTROL: &str = ".oss-cloudbox-control.aliyuncs.com";
const LABEL_BYTES_MAX: usize = 63;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn b01_b02_an_id_is_one_label_of_a_host() {
        let longest = alloc::format!("cb-{}", "a".repeat(60));
        for good in ["cb-1", "cb-123", "cb-f8z7yvzgwfkl9q0h8", "cb-a-b", &longest] {
            assert_eq!(CloudBoxId::parse(good).unwrap().as_str(), good);
        }
        let longer = alloc::format!("{longest}a");
        let bad = [
            "",
            "cb",
            "cb-",
            "cb-1-",
            "CB-1",
            "cb-A",
            "cb-1.evil",
            "cb-1/",
            "cb-1\n",
            " cb-1",
            "cb_1",
            "cb-١",
            "cn-hangzhou",
            &longer,
        ];
        for bad in bad {
            let error = CloudBoxId::parse(bad).unwrap_err();
            assert!(matches!(error, EndpointError::CloudBox { .. }), "{bad:?}: {error}");
        }
        assert_eq!(
            CloudBoxId::parse("cn-hangzhou").unwrap_err().to_string(),
            r#"invalid cloud box id "cn-hangzhou": start it with `cb-`, as in `cb-123`"#
        );
    }

    #[test]
    fn an_id_is_found_in_five_labels_of_which_it_is_the_first() {
        let cases = [
            ("cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com", Some("cb-123")),
            ("https://CB-123.cn-hangzhou.oss-cloudbox-control.aliyuncs.com:8443", Some("cb-123")),
            ("cb-123.oss-cloudbox.aliyuncs.com", None),
            ("bucket.cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com", None),
            ("b-123.cn-hangzhou.oss-cloudbox.aliyuncs.com", None),
            ("cb-123.cn-hangzhou.oss-cloudbox.aliyuncs.com.evil.example", None),
            ("cb-123.cn-hangzhou.evil-oss-cloudbox.aliyuncs.com", None),
            ("cb-123.cn-hangzhou.oss-cloudbox-other.aliyuncs.com", None),
            ("oss-cn-hangzhou.aliyuncs.com", None),
            ("127.0.0.1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Endpoint::parse(text).unwrap().cloud_box_id(), expected, "{text}");
        }
    }
}
