//! [`Shapes`]: the header maps of earlier requests, without their values.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT,
};

use super::Headers;
use crate::check::{check_header_names, is_lower_header_name};
use crate::types::{check_header_value, has_outer_blank};
use crate::{Draft, InvalidRequest, InvalidValue};

/// The header maps of the last few requests that differ in their names, without the values.
///
/// An application sends requests of few shapes. To copy a map and to set its values costs half of what it
/// costs to check, hash and insert each name, and the names of a shape were checked when it was learned.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: Vec<Shape>,
    /// The one to be forgotten for a new one.
    oldest: usize,
}

#[derive(Debug)]
struct Shape {
    /// In the order of the request, each name once. The values are empty but for those that need no copy.
    names: HeaderMap,
    /// Which of the names are the draft's own: these were checked.
    own: Range<usize>,
}

impl Shapes {
    /// Puts these headers into an empty map.
    ///
    /// # Errors
    /// For a header of the draft that injects or is the client's to set, and when there are too many.
    pub(crate) fn fill(
        &mut self,
        map: &mut HeaderMap,
        draft: &Draft,
        headers: &Headers<'_>,
    ) -> Result<(), InvalidRequest> {
        let Some(shape) = self.known.iter().find(|shape| shape.is_of(headers)) else {
            check_header_names(draft)?;
            *map = new_map(draft, headers)?;
            self.learn(map, headers);
            return Ok(());
        };
        *map = shape.names.clone();
        for (index, (value, (_, wanted))) in map.values_mut().zip(&headers.pairs).enumerate() {
            if value != wanted {
                set_value(value, draft, headers, index)?;
            }
        }
        Ok(())
    }

    fn learn(&mut self, map: &HeaderMap, headers: &Headers<'_>) {
        let mut shape = Shape { names: map.clone(), own: headers.own.clone() };
        // It is not when a name occurs twice or has capitals: such a map is made anew each time.
        if !shape.is_of(headers) {
            return;
        }
        for (index, value) in shape.names.values_mut().enumerate() {
            if headers.fixed_at(index).is_none() {
                *value = HeaderValue::from_static("");
            }
        }
        match self.known.get_mut(self.oldest) {
            Some(oldest) => *oldest = shape,
            None => self.known.push(shape),
        }
        self.oldest = (self.oldest + 1) % SHAPES_MAX;
    }
}

impl Shape {
    /// Whether the values of these headers can take the places of those of the map, one after the other.
    fn is_of(&self, headers: &Headers<'_>) -> bool {
        self.names.len() == headers.pairs.len()
            && self.own == headers.own
            && self.names.keys().zip(&headers.pairs).all(|(known, (name, _))| known.as_str() == *name)
            && self.names.keys_len() == headers.pairs.len()
    }
}

fn new_map(draft: &Draft, headers: &Headers<'_>) -> Result<HeaderMap, InvalidRequest> {
    let mut map = HeaderMap::try_with_capacity(headers.pairs.len())
        .map_err(|_| draft.invalid("headers", InvalidValue::new("are too many; send fewer")))?;
    for (index, (name, _)) in headers.pairs.iter().enumerate() {
        let invalid = |problem| draft.invalid(String::from(*name), InvalidValue::new(problem));
        let parsed = parsed_name(draft, headers, index).ok_or_else(|| invalid("is no header name"))?;
        let mut value = HeaderValue::from_static("");
        set_value(&mut value, draft, headers, index)?;
        map.try_append(parsed, value).map_err(|_| invalid("is one header too many; send fewer"))?;
    }
    Ok(map)
}

/// The value of a header: printable ASCII, and of the draft's own without blanks around it.
fn set_value(
    slot: &mut HeaderValue,
    draft: &Draft,
    headers: &Headers<'_>,
    index: usize,
) -> Result<(), InvalidRequest> {
    let (name, value) = headers.pairs[index];
    // A buffer for each value costs less than to share one: to count its holders takes longer than to
    // allocate.
    let made = match headers.fixed_at(index) {
        Some(fixed) => HeaderValue::from_maybe_shared(Bytes::from_static(fixed.as_bytes())),
        None => HeaderValue::from_bytes(value.as_bytes()),
    };
    match made {
        Ok(made) if is_fit(headers, index, value) => *slot = made,
        _ => return Err(unfit(draft, headers, index)),
    }
    if matches!(name, "authorization" | "x-oss-security-token") {
        slot.set_sensitive(true);
    }
    Ok(())
}

/// What `HeaderValue` leaves to be checked: it takes what is not ASCII, and blanks at the ends.
fn is_fit(headers: &Headers<'_>, index: usize, value: &str) -> bool {
    value.is_ascii() && !(headers.own.contains(&index) && has_outer_blank(value))
}

#[cold]
fn unfit(draft: &Draft, headers: &Headers<'_>, index: usize) -> InvalidRequest {
    let (name, value) = headers.pairs[index];
    let problem = if headers.own.contains(&index) { check_header_value(value).err() } else { None };
    let problem = problem.unwrap_or_else(|| InvalidValue::new("cannot stand in a header"));
    draft.invalid(String::from(name), problem)
}

/// The name of a header; one that the tables of operations know costs no allocation.
fn parsed_name(draft: &Draft, headers: &Headers<'_>, index: usize) -> Option<HeaderName> {
    let own = index.checked_sub(headers.own.start).and_then(|index| draft.headers.get(index));
    if let Some((Cow::Borrowed(name), _)) = own
        && is_lower_header_name(name)
    {
        // It panics at what is no name in lower case, which this is.
        return Some(HeaderName::from_static(name));
    }
    let (name, _) = headers.pairs.get(index)?;
    known_name(name)
}

/// A header name; those that almost every request has are not read anew.
fn known_name(name: &str) -> Option<HeaderName> {
    const OSS_DATE: HeaderName = HeaderName::from_static("x-oss-date");
    const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-oss-content-sha256");
    const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-oss-security-token");
    Some(match name {
        "host" => HOST,
        "content-length" => CONTENT_LENGTH,
        "content-type" => CONTENT_TYPE,
        "user-agent" => USER_AGENT,
        "authorization" => AUTHORIZATION,
        "x-oss-date" => OSS_DATE,
        "x-oss-content-sha256" => CONTENT_SHA256,
        "x-oss-security-token" => SECURITY_TOKEN,
        _ => return HeaderName::from_bytes(name.as_bytes()).ok(),
    })
}

/// A KiB each; an application that sends requests of more shapes makes some maps anew.
const SHAPES_MAX: usize = 8;
