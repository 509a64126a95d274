//! The calm page: one file, no script, no other host, readable on a phone and in the dark.
//!
//! In:    a [`Told`]. Out: HTML. Never: text from outside without escaping.

use super::{Told, label};

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#f6f7f5;--card:#fff;--text:#1d2321;--quiet:#56605c;\
--line:#d5dad7;--drill:#7a4b00;--drill-ground:#ffe9c2}\
@media (prefers-color-scheme:dark){:root{--ground:#141816;--card:#1d2321;--text:#e8ecea;\
--quiet:#a9b3ae;--line:#39423e;--drill:#ffd98f;--drill-ground:#46320a}}\
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:flex;flex-direction:column;\
background:var(--ground);color:var(--text);font:1.0625rem/1.55 system-ui,sans-serif}\
.drill{margin:0;padding:.6rem 1rem;text-align:center;font-weight:700;color:var(--drill);\
background:var(--drill-ground)}\
main{flex:1;display:flex;align-items:center;justify-content:center;padding:1rem}\
article{width:100%;max-width:36rem;background:var(--card);border:1px solid var(--line);\
border-radius:.75rem;padding:clamp(1.25rem,5vw,2.5rem)}\
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}\
.host{margin:0 0 .5rem;color:var(--quiet);overflow-wrap:anywhere}\
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem;margin:1.5rem 0 0;\
padding-top:1rem;border-top:1px solid var(--line);font-variant-numeric:tabular-nums}\
dt{color:var(--quiet)}dd{margin:0}";

/// The whole page.
pub(super) fn page(told: &Told<'_>) -> String {
    let language = told.language;
    let title = escape(told.title);
    let drill = match told.drill {
        true => format!(
            "<p class=\"drill\" role=\"status\">{}</p>",
            label(language, "drill")
        ),
        false => String::new(),
    };
    let next = match &told.next_word {
        Some(at) => format!(
            "<dt>{}</dt><dd>{}</dd>",
            label(language, "next"),
            escape(at)
        ),
        None => String::new(),
    };
    let reload = match told.reload {
        Some(seconds) => format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">"),
        None => String::new(),
    };
    format!(
        "<!doctype html>\n<html lang=\"{tag}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\">{reload}<title>{title}</title>\
         <style>{STYLE}</style></head>\n<body>{drill}<main><article>\
         <p class=\"host\">{host}</p><h1>{title}</h1><p>{detail}</p>\
         <dl><dt>{as_of_label}</dt><dd>{as_of}</dd>{next}</dl>\
         </article></main></body></html>\n",
        tag = language.tag(),
        host = escape(told.host),
        detail = escape(&told.detail),
        as_of_label = label(language, "as_of"),
        as_of = escape(&told.as_of),
    )
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
