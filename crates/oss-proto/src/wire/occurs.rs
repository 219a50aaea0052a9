//! Once, at most once, any number of times: what the type of a field says about how often it may occur.

use alloc::vec::Vec;

use crate::ReadError;
use crate::xml::Element;

/// How often a field occurs: `T` exactly once, `Option<T>` at most once, `Vec<T>` any number of times.
pub trait Occurs: Sized {
    /// What occurs.
    type Item: Element;
    /// What has been read so far.
    type Partial: Default;

    /// Everything that occurs, in order.
    fn items(&self) -> &[Self::Item];

    /// The same, to be changed in place.
    fn items_mut(&mut self) -> &mut [Self::Item];

    /// Takes one more item.
    ///
    /// # Errors
    /// When a field that may occur once occurs again.
    fn offer(partial: &mut Self::Partial, item: Self::Item, name: &'static str) -> Result<(), ReadError>;

    /// Ends the reading.
    ///
    /// # Errors
    /// When a field that must occur did not.
    fn finish(partial: Self::Partial, name: &'static str) -> Result<Self, ReadError>;
}

impl<T: Element> Occurs for T {
    type Item = T;
    type Partial = Option<T>;

    fn items(&self) -> &[T] {
        core::slice::from_ref(self)
    }

    fn items_mut(&mut self) -> &mut [T] {
        core::slice::from_mut(self)
    }

    fn offer(partial: &mut Option<T>, item: T, name: &'static str) -> Result<(), ReadError> {
        Option::<T>::offer(partial, item, name)
    }

    fn finish(partial: Option<T>, name: &'static str) -> Result<Self, ReadError> {
        partial.ok_or_else(|| ReadError::missing(name))
    }
}

impl<T: Element> Occurs for Option<T> {
    type Item = T;
    type Partial = Self;

    fn items(&self) -> &[T] {
        self.as_slice()
    }

    fn items_mut(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }

    fn offer(partial: &mut Self, item: T, name: &'static str) -> Result<(), ReadError> {
        if partial.is_some() {
            return Err(ReadError::repeated(name));
        }
        *partial = Some(item);
        Ok(())
    }

    fn finish(partial: Self, _name: &'static str) -> Result<Self, ReadError> {
        Ok(partial)
    }
}

impl<T: Element> Occurs for Vec<T> {
    type Item = T;
    type Partial = Self;

    fn items(&self) -> &[T] {
        self
    }

    fn items_mut(&mut self) -> &mut [T] {
        self
    }

    fn offer(partial: &mut Self, item: T, name: &'static str) -> Result<(), ReadError> {
        if partial.len() >= ITEMS_MAX {
            return Err(ReadError::too_many(name, ITEMS_MAX));
        }
        partial.push(item);
        Ok(())
    }

    fn finish(partial: Self, _name: &'static str) -> Result<Self, ReadError> {
        Ok(partial)
    }
}

/// Twice as many as the longest page of OSS has. An element of nine bytes becomes a value of some hundred, so
/// that without a limit an answer could take twenty times its length.
const ITEMS_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn b51_a_repeated_singleton_is_an_error_and_a_missing_one_too() {
        let mut once = <u64 as Occurs>::Partial::default();
        <u64 as Occurs>::offer(&mut once, 1, "Size").unwrap();
        assert!(<u64 as Occurs>::offer(&mut once, 1, "Size").unwrap_err().to_string().contains("Size"));
        assert!(<u64 as Occurs>::finish(None, "Size").unwrap_err().to_string().contains("Size"));
        assert_eq!(<Option<u64> as Occurs>::finish(None, "Size"), Ok(None));
        assert_eq!(<Vec<String> as Occurs>::finish(Vec::new(), "Key"), Ok(Vec::new()));
    }

    use alloc::string::ToString;

    #[test]
    fn b48_a_list_has_an_end() {
        let mut partial = Vec::new();
        for number in 0..2_000_u32 {
            assert_eq!(Vec::offer(&mut partial, number, "Part"), Ok(()));
        }
        let error = Vec::offer(&mut partial, 7, "Part").unwrap_err();
        assert_eq!(alloc::format!("{error}"), "the answer has `Part` more than 2000 times");
        assert_eq!(partial.len(), 2_000);
    }
}
