//! Pages of a list (reference §0): number, size, order.

use std::ops::RangeInclusive;

use serde_json::{Map, Value, json};

use super::super::{Params, Refusal};

/// How a family of operations pages.
pub(super) struct Paging {
    /// `PageNum` or `PageNumber`.
    pub number: &'static str,
    /// Sizes of a page.
    pub sizes: RangeInclusive<usize>,
    /// The size when none is asked for.
    pub default: usize,
    /// The refusal of a bad value of that parameter.
    pub malformed: fn(&'static str) -> Refusal,
}

/// Of configs: 5 to 30, 10.
pub(super) const CONFIGS: Paging =
    Paging { number: "PageNum", sizes: 5..=30, default: 10, malformed: Refusal::malformed };
/// Of streams: 1 to 3,000, 2,000.
pub(super) const STREAMS: Paging =
    Paging { number: "PageNum", sizes: 1..=3_000, default: 2_000, malformed: Refusal::malformed };
/// Of domains: 1 to 50, 20.
pub(super) const DOMAINS: Paging =
    Paging { number: "PageNumber", sizes: 1..=50, default: 20, malformed: Refusal::malformed };

/// A page that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    number: usize,
    size: usize,
    descending: bool,
}

/// What a page shows, and what is said beside it.
pub(super) struct Shown {
    page: Page,
    total: usize,
}

impl Paging {
    pub(super) fn read(&self, params: &Params) -> Result<Page, Refusal> {
        let number = self.count(params, self.number, 1..=usize::MAX, 1)?;
        let size = self.count(params, "PageSize", self.sizes.clone(), self.default)?;
        let descending = match params.text("Order") {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("asc") => false,
            Some(order) if order.eq_ignore_ascii_case("desc") => true,
            Some(_) => return Err((self.malformed)("Order")),
        };
        Ok(Page { number, size, descending })
    }

    fn count(
        &self,
        params: &Params,
        name: &'static str,
        range: RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Refusal> {
        let malformed = || (self.malformed)(name);
        let Some(value) = params.integer(name).map_err(|_| malformed())? else { return Ok(default) };
        usize::try_from(value).ok().filter(|value| range.contains(value)).ok_or_else(malformed)
    }
}

impl Page {
    /// Which, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many items it has at most.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many items come before it.
    pub fn skip(&self) -> usize {
        self.number.saturating_sub(1).saturating_mul(self.size)
    }

    /// Whether the newest items come first.
    pub fn descending(&self) -> bool {
        self.descending
    }

    /// The items of this page of `all`, which is in ascending order. Beyond the end there are none.
    pub(super) fn cut<T>(self, mut all: Vec<T>) -> (Vec<T>, Shown) {
        if self.descending {
            all.reverse();
        }
        let total = all.len();
        let items = all.into_iter().skip(self.skip()).take(self.size).collect();
        (items, Shown { page: self, total })
    }
}

impl Shown {
    /// `page` of `total` items, which somebody else cut.
    pub(super) fn new(page: Page, total: usize) -> Self {
        Self { page, total }
    }

    /// `PageNum`, `PageSize`, `TotalNum`, `TotalPage`.
    pub(super) fn numbers(&self) -> Map<String, Value> {
        let Page { number, size, .. } = self.page;
        let fields = [
            ("PageNum", number),
            ("PageSize", size),
            ("TotalNum", self.total),
            ("TotalPage", self.total.div_ceil(size)),
        ];
        fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
    }

    /// The same and `Order`.
    pub(super) fn numbers_and_order(&self) -> Map<String, Value> {
        let mut fields = self.numbers();
        fields.insert("Order".to_owned(), json!(if self.page.descending { "desc" } else { "asc" }));
        fields
    }

    /// `PageNumber`, `PageSize`, `TotalCount`: the dialect of the domain operations.
    pub(super) fn counts(&self) -> Map<String, Value> {
        let fields =
            [("PageNumber", self.page.number), ("PageSize", self.page.size), ("TotalCount", self.total)];
        fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
    }
}

/// `fields` with the list `items` in its wrapper: `{"XList":{"X":[…]}}`.
pub(super) fn listed(mut fields: Map<String, Value>, wrapper: &str, name: &str, items: Vec<Value>) -> Value {
    fields.insert(wrapper.to_owned(), json!({ name: items }));
    Value::Object(fields)
}
