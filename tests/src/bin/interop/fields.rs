//! Fields of operations as text: XML elements, whatever place they have on the wire.

use oss_hyper::xml::{Element, Reader, Writer};
use oss_hyper::{Callback, CallbackVars, Metadata, Occurs, Payload};
use serde_json::{Map, Value};

/// What went wrong on our side of a call, before anything was sent.
pub(crate) type Problem = String;

/// The arguments of a call; each is taken once.
pub(crate) struct Arguments(Map<String, Value>);

impl Arguments {
    pub(crate) fn new(request: &Value) -> Self {
        Self(request["args"].as_object().cloned().unwrap_or_default())
    }

    /// A field in the form of the wire; a structure is the XML document `<v>…</v>`.
    pub(crate) fn take<T: Element>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let document = if text.starts_with("<v>") {
            text.into_bytes()
        } else {
            let mut writer = Writer::new();
            writer.leaf("v", &text);
            writer.finish()
        };
        let problem = |error: oss_hyper::ReadError| format!("the argument {name}: {error}");
        let mut reader = Reader::open(&document, "v").map_err(problem)?;
        T::read(&mut reader).map_err(problem)
    }

    /// A field that must be there.
    pub(crate) fn need<T: Element>(&mut self, name: &str) -> Result<T, Problem> {
        self.take(name)?.ok_or_else(|| format!("the argument {name} is missing"))
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String, Problem> {
        self.need(name)
    }

    /// User metadata: an object.
    pub(crate) fn metadata(&mut self) -> Option<Metadata> {
        let Some(Value::Object(entries)) = self.0.remove("metadata") else { return None };
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        Some(entries.into_iter().map(|(name, value)| (name, text(value))).collect())
    }

    /// An upload callback: an object with the URL and the body.
    pub(crate) fn callback(&mut self) -> Option<Callback> {
        let callback = self.0.remove("callback")?;
        Some(Callback::new(callback["url"].as_str()?, callback["body"].as_str()?))
    }

    /// The variables of a callback: an object.
    pub(crate) fn callback_var(&mut self) -> Option<CallbackVars> {
        let Some(Value::Object(entries)) = self.0.remove("callback_var") else { return None };
        let with = |vars: CallbackVars, (name, value): (String, Value)| {
            vars.with(name, value.as_str().unwrap_or_default())
        };
        Some(entries.into_iter().fold(CallbackVars::default(), with))
    }

    /// The content: hexadecimal digits.
    pub(crate) fn body(&mut self) -> Result<Payload, Problem> {
        let digits = self.text("body")?;
        let byte =
            |pair: &[u8]| core::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
        Ok(Payload::from(bytes.ok_or("the argument body is not in hexadecimal digits")?))
    }

    /// Refuses what no field has taken: a misspelt argument would test nothing.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("the operation has no argument {name}")),
        }
    }
}

/// Every occurrence of a field, as `<v>…</v>`.
pub(crate) fn elements<F: Occurs>(field: &F) -> Result<Value, Problem> {
    let element = |item: &F::Item| {
        let mut writer = Writer::new();
        item.write("v", &mut writer).map_err(|error| error.to_string())?;
        String::from_utf8(writer.finish()).map(Value::String).map_err(|error| error.to_string())
    };
    field.items().iter().map(element).collect()
}

pub(crate) fn entries(metadata: &Metadata) -> Value {
    metadata.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value.as_str()))).collect()
}

pub(crate) fn digits(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}
