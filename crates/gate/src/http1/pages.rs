//! Answers of a closed cell, kept for the second they are true.
//!
//! In:    the judge's no, the cell, what the caller wants to read. Out: the whole answer as bytes.
//! Never: older than a second, or than the words it was made from; more than a few of them.
//!
//! When a provider is shut, everyone asks again and again for the same page; making it costs more
//! than sending it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anlauf_model::Timestamp;
use anlauf_model::feed::Words;
use hyper::Response;
use hyper::body::Bytes;

use super::onward;
use crate::body::Download;
use crate::judge::No;
use crate::limits::PAGE_COUNT_MAX;
use crate::page::{Why, Wishes};
use crate::shared::Shared;
use crate::table::CellState;

/// Pages of one worker.
#[derive(Default)]
pub(crate) struct Pages(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The second and the words they were made in.
    second: i64,
    words: Arc<Words>,
    drill: bool,
    pages: HashMap<Vec<u8>, Bytes, foldhash::fast::RandomState>,
    /// Room for a key, so that looking needs none.
    key: Vec<u8>,
}

/// Which page.
pub(crate) struct Page<'a> {
    pub(crate) no: No,
    pub(crate) cell: &'a CellState,
    pub(crate) host: &'a str,
    pub(crate) wishes: &'a Wishes<'a>,
    /// The present.
    pub(crate) now: Timestamp,
}

impl Pages {
    /// The whole answer to a request with a body to read, on a connection that stays.
    pub(crate) fn get(&self, shared: &Shared, page: &Page<'_>) -> Bytes {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (second, words, drill) = (
            page.now.0.div_euclid(1_000),
            shared.words(),
            shared.is_drill(),
        );
        let is_new =
            kept.second != second || kept.drill != drill || !Arc::ptr_eq(&kept.words, &words);
        if is_new || kept.pages.len() >= PAGE_COUNT_MAX {
            kept.pages.clear();
            (kept.second, kept.words, kept.drill) = (second, words, drill);
        }
        let mut key = std::mem::take(&mut kept.key);
        key.clear();
        page.key(&mut key);
        let text = match kept.pages.get(&key) {
            Some(text) => text.clone(),
            None => {
                let text = page.make(shared);
                kept.pages.insert(key.clone(), text.clone());
                text
            }
        };
        kept.key = key;
        text
    }
}

impl Page<'_> {
    /// Everything that the answer depends on besides the time and the words; parts are set off by
    /// bytes that occur in none.
    fn key(&self, out: &mut Vec<u8>) {
        out.push(match self.no {
            No::Closed => b'c',
            No::Unconfirmed => b'u',
            No::Testing => b't',
            No::Reduced => b'r',
            // Never kept: see `No::is_personal`.
            No::Outside(_) | No::Waits(..) | No::Busy(_) => b'p',
        });
        let wishes = self.wishes.parts();
        for part in [&*self.cell.name, self.host, wishes.0, wishes.1] {
            out.extend_from_slice(part.as_bytes());
            out.push(b'\n');
        }
    }

    fn make(&self, shared: &Shared) -> Bytes {
        let why = Why::No(self.no, self.cell);
        let answer = shared.speaker().say(why, self.host, self.wishes);
        let (head, body) = answer.into_parts();
        let body = match body {
            Download::Own(Some(body)) => body,
            Download::Own(None) | Download::Backend { .. } => Bytes::new(),
        };
        let mut out = Vec::new();
        let head = Response::from_parts(head, ());
        onward::own(&mut out, &head, &body, false, true);
        out.into()
    }
}
