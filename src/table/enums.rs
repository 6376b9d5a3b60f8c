//! Enum members become a dictionary array.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, LargeStringArray, StringArray};
use arrow::error::ArrowError;
use indexmap::IndexSet;

use super::codes::{self, NONE};
use super::schema::StringLayout;
use crate::values::{Store, Value, index};

/// Builds a dictionary of the enum members among some values, in the order of the values.
pub(super) struct EnumBuilder<'s> {
    store: &'s Store,
    /// The position in `members` of each value
    codes: Vec<u32>,
    members: IndexSet<u32, ahash::RandomState>,
}

impl<'s> EnumBuilder<'s> {
    pub fn new(store: &'s Store, length: usize) -> Self {
        Self { store, codes: vec![NONE; length], members: IndexSet::default() }
    }

    /// Sets the value at some positions, if it is an enum member.
    pub fn set(&mut self, value: Value, positions: &[u32]) {
        let Value::Enum(member) = value else { return };
        let is_last = self.members.last() == Some(&member);
        let code = if is_last { self.members.len() - 1 } else { self.members.insert_full(member).0 };
        for &position in positions {
            self.codes[position as usize] = index(code);
        }
    }

    pub fn finish(mut self, layout: StringLayout) -> Result<ArrayRef, ArrowError> {
        let order = codes::renumber(&mut self.codes, self.members.len());
        // members of different enums may share a name
        let mut names: IndexSet<Cow<'_, str>> = IndexSet::new();
        let code_of_name: Vec<u32> =
            order.iter().map(|&code| index(names.insert_full(self.name(code)).0)).collect();
        for code in self.codes.iter_mut().filter(|code| **code != NONE) {
            *code = code_of_name[*code as usize];
        }
        let keys = codes::array(self.codes);
        Ok(match layout {
            StringLayout::View | StringLayout::InList => {
                Arc::new(DictionaryArray::try_new(keys, Arc::new(StringArray::from_iter_values(names)))?)
            }
            StringLayout::Large => {
                let keys: Int32Array = keys.unary_opt(|key| i32::try_from(key).ok());
                Arc::new(DictionaryArray::try_new(keys, Arc::new(LargeStringArray::from_iter_values(names)))?)
            }
        })
    }

    fn name(&self, code: u32) -> Cow<'s, str> {
        let member = self.members.get_index(code as usize);
        let member = member.and_then(|&member| self.store.enum_member(member));
        member.map(|member| self.store.symbol(member.name)).unwrap_or_default()
    }
}
