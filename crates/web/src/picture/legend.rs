//! What the forms of a picture mean, form beside word.

use maud::{Markup, html};

/// A form that a picture uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sample {
    Work,
    Planned,
    Opened,
    Range,
    Chain,
    Slot,
    Band,
    Now,
    LoadLow,
    LoadHigh,
    LoadFull,
    Before,
    After,
    Released,
    Expected,
    FanInner,
    FanOuter,
    Wanted,
}

/// The legend.
pub(crate) fn legend(samples: &[(Sample, &str)]) -> Markup {
    html! {
        p.picture-legend {
            @for (sample, word) in samples { span { (drawn(*sample)) (word) } " " }
        }
    }
}

fn drawn(sample: Sample) -> Markup {
    let (class, d) = match sample {
        Sample::Work => ("work", "M0 4h22v9h-22z"),
        Sample::Planned => ("planned", "M11 1v14"),
        Sample::Opened => ("opened", "M11 8h0"),
        Sample::Range => return range(),
        Sample::Chain => ("chain", "M0 7h22v3h-22z"),
        Sample::Slot => ("slot", "M0 7h22v2.5h-22z"),
        Sample::Band => ("band", "M0 0h22v16h-22z"),
        Sample::Now => ("now", "M11 0v16"),
        Sample::LoadLow => ("load-low", "M0 10h22v6h-22z"),
        Sample::LoadHigh => ("load-high", "M0 5h22v11h-22z"),
        Sample::LoadFull => ("load-full", "M0 0h22v16h-22z"),
        Sample::Before => ("before", "M11 8h0"),
        Sample::After => ("after", "M6 3l8 5l-8 5z"),
        Sample::Released => ("course-released", "M0 14h8v-6h8v-6h6"),
        Sample::Expected => ("course-50", "M0 14h8v-6h8v-6h6"),
        Sample::FanInner => ("fan-80", "M0 2h22v12h-22z"),
        Sample::FanOuter => ("fan-95", "M0 2h22v12h-22z"),
        Sample::Wanted => ("course-wanted", "M0 14h8v-6h8v-6h6"),
    };
    html! {
        svg.sample viewBox="0 0 22 16" aria-hidden="true" focusable="false" {
            path class=(class) d=(d) {}
        }
    }
}

fn range() -> Markup {
    html! {
        svg.sample viewBox="0 0 22 16" aria-hidden="true" focusable="false" {
            path.range-50 d="M0 6h12v4h-12z" {}
            path.range-80 d="M12 7h10v2h-10z" {}
        }
    }
}
