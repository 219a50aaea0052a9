//! Configuration sub-resources of which a bucket has several documents, each with a name: inventories and
//! image styles.

use alloc::borrow::ToOwned;
use alloc::string::String;

use http::StatusCode;

use crate::fault::Fault;
use crate::ops::{Context, document};
use crate::reply::Answer;
use crate::store::Bucket;
use crate::time::http_date;
use crate::xml::{Document, Element, parse};

/// A kind of named document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    Inventory,
    Style,
}

impl Named {
    /// The kind, and whether the name is given.
    pub(crate) fn of(subs: &[&str]) -> Option<(Self, bool)> {
        match subs {
            ["inventory"] => Some((Self::Inventory, false)),
            ["inventory", "inventoryId"] => Some((Self::Inventory, true)),
            ["style"] => Some((Self::Style, false)),
            ["style", "styleName"] => Some((Self::Style, true)),
            _ => None,
        }
    }

    fn sub(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Style => "style",
        }
    }

    fn name<'c>(self, context: &Context<'c>) -> Result<&'c str, Fault> {
        let parameter = match self {
            Self::Inventory => "inventoryId",
            Self::Style => "styleName",
        };
        match context.request.query.text(parameter) {
            "" => Err(Fault::invalid_argument(parameter, "", "", "The name must not be empty.")),
            name => Ok(name),
        }
    }

    fn missing(self, name: &str) -> Fault {
        match self {
            Self::Inventory => {
                let why = "The specified inventory does not exist.";
                Fault::new(404, "NoSuchInventory", "", why).with("InventoryId", name)
            }
            Self::Style => Fault::new(404, "NoSuchStyle", "", "The specified style does not exist.")
                .with("StyleName", name),
        }
    }
}

pub(crate) fn put(context: &mut Context<'_>, kind: Named, body: &[u8]) -> Result<Answer, Fault> {
    let name = kind.name(context)?;
    let id = (kind.sub(), name.to_owned());
    let document = match kind {
        Named::Inventory => inventory(context, name, body)?,
        Named::Style => style(context, name, body)?,
    };
    context.bucket_mut()?.documents.insert(id, document);
    Ok(Answer::ok())
}

pub(crate) fn get(context: &Context<'_>, kind: Named) -> Result<Answer, Fault> {
    let name = kind.name(context)?;
    let document = context.bucket()?.documents.get(&(kind.sub(), name.to_owned()));
    let document = document.ok_or_else(|| kind.missing(name))?;
    Ok(Answer::xml(Document::of_element(document)))
}

pub(crate) fn list(context: &Context<'_>, kind: Named) -> Result<Answer, Fault> {
    let bucket = context.bucket()?;
    let after = context.request.query.text("continuation-token");
    let mut all = documents(bucket, kind.sub()).filter(|(name, _)| *name > after);
    let mut document = Document::new(match kind {
        Named::Inventory => "ListInventoryConfigurationsResult",
        Named::Style => "StyleList",
    });
    let max = if kind == Named::Inventory { INVENTORIES_A_PAGE } else { usize::MAX };
    let mut last = "";
    for (name, element) in all.by_ref().take(max) {
        document.element(element);
        last = name;
    }
    if kind == Named::Inventory {
        let is_truncated = all.next().is_some();
        document.value("IsTruncated", is_truncated);
        document.text("NextContinuationToken", if is_truncated { last } else { "" });
    }
    Ok(Answer::xml(document.finish()))
}

pub(crate) fn delete(context: &mut Context<'_>, kind: Named) -> Result<Answer, Fault> {
    let name = kind.name(context)?;
    context.bucket_mut()?.documents.remove(&(kind.sub(), name.to_owned()));
    Ok(Answer::status(StatusCode::NO_CONTENT))
}

fn inventory(context: &Context<'_>, name: &str, body: &[u8]) -> Result<Element, Fault> {
    let root = document::read(body, "InventoryConfiguration")?;
    if root.child_text("Id").map(str::trim) != Some(name) {
        return Err(Fault::malformed_xml("the Id is not the inventoryId"));
    }
    for required in ["IsEnabled", "Destination", "Schedule", "IncludedObjectVersions"] {
        if root.child(required).is_none() {
            return Err(Fault::malformed_xml("there is no ".to_owned() + required));
        }
    }
    let bucket = context.bucket()?;
    if bucket.documents.contains_key(&("inventory", name.to_owned())) {
        let why = "An inventory of this name exists.";
        return Err(Fault::new(409, "InventoryAlreadyExist", "", why));
    }
    if documents(bucket, "inventory").count() >= INVENTORIES_MAX {
        let why = "A bucket has at most 1000 inventories.";
        return Err(Fault::new(400, "InventoryExceedLimit", "", why));
    }
    Ok(root)
}

/// A style of the same name is replaced and keeps the time at which it was made.
fn style(context: &Context<'_>, name: &str, body: &[u8]) -> Result<Element, Fault> {
    let root = parse(body, "Style").map_err(Fault::malformed_xml)?;
    let Some(content) = root.child_text("Content").map(str::trim).filter(|content| !content.is_empty())
    else {
        return Err(Fault::malformed_xml("there is no Content"));
    };
    let old = context.bucket()?.documents.get(&("style", name.to_owned()));
    let now = http_date(context.now);
    let made = old.and_then(|old| old.child_text("CreateTime")).unwrap_or(&now);
    let category = match context.request.query.text("category") {
        "" => "image",
        category => category,
    };
    Ok(Element::parent(
        "Style",
        [
            Element::leaf("Name", name),
            Element::leaf("Content", content),
            Element::leaf("Category", category),
            Element::leaf("CreateTime", made),
            Element::leaf("LastModifyTime", &now),
        ],
    ))
}

/// The documents of a kind with their names, in order.
fn documents<'b>(bucket: &'b Bucket, sub: &'static str) -> impl Iterator<Item = (&'b str, &'b Element)> {
    let all = bucket.documents.range((sub, String::new())..);
    all.take_while(move |((other, _), _)| *other == sub).map(|((_, name), element)| (name.as_str(), element))
}

const INVENTORIES_A_PAGE: usize = 100;
const INVENTORIES_MAX: usize = 1000;
