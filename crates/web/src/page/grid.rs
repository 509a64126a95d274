//! The situation grid: tenants × services, readable at 80 × 30 and by keyboard.

use anlauf_model::Stage;
use maud::{Markup, html};

use super::part;
use super::screen::{Miss, Screen};
use super::visit::Visit;
use crate::text::{Say, fill};
use crate::view::grid::{
    Column, GridCell, GridFilter, GridView, GroundCell, GroundLine, TenantRow,
};

/// The page.
pub(crate) fn screen(visit: &Visit<'_>) -> Result<Screen, Miss> {
    let (say, w) = (&visit.say, visit.say.w);
    let text = |name: &str| visit.asked(name).map(str::to_owned);
    let filter = GridFilter {
        site: text("site"),
        stage: visit.asked("stage").and_then(stage_of),
        size: text("size"),
        service: text("service"),
    };
    let view = GridView::of(&visit.state(), visit.now(), &filter);
    if !view.has_landscape {
        let main = html! { section.empty { h1 { (w.no_landscape) } p { (w.no_landscape_how) } } };
        return Ok(Screen::new(w.nav_grid, "/console/grid", main));
    }
    let ground = html! { div id="grid-ground" { (ground(say, &view.ground)) } };
    let counts = html! { div id="grid-counts" { (part::stages(say, &view.counts, true)) } };
    let mut parts = vec![
        ("grid-ground".into(), ground.clone()),
        ("grid-counts".into(), counts.clone()),
    ];
    parts.extend(view.rows.iter().map(|row| {
        (
            format!("row-{}", row.id),
            tenant_row(say, row, &view.columns),
        )
    }));
    let main = html! {
        h1 { (w.nav_grid) }
        (counts)
        (filters(visit, &view, &filter))
        h2 { (w.ground) }
        (ground)
        h2 { (w.grid_tenants) " " span.quiet {
            (fill(w.shown_of, &[&view.rows.len(), &view.row_count_all])) } }
        @if view.rows.is_empty() {
            (part::nothing(w.grid_nothing))
        } @else {
            (table(say, &view, &parts[2..]))
        }
    };
    Ok(Screen::new(w.nav_grid, "/console/grid", main)
        .with_parts(parts)
        .wide())
}

/// The stage of a word.
pub(crate) fn stage_of(word: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.word() == word)
}

fn filters(visit: &Visit<'_>, view: &GridView, filter: &GridFilter) -> Markup {
    let (say, w) = (&visit.say, visit.say.w);
    let chosen = |kept: &Option<String>, value: &str| kept.as_deref() == Some(value);
    html! {
        form.filters method="get" action="/console/grid" role="search" aria-label=(w.filter) {
            div.field {
                label for="site" { (w.site) }
                select id="site" name="site" {
                    option value="" { (w.all) }
                    @for (id, name) in &view.sites {
                        option value=(id) selected[chosen(&filter.site, id)] { (say.text(name)) }
                    }
                }
            }
            div.field {
                label for="stage" { (w.stage_label) }
                select id="stage" name="stage" {
                    option value="" { (w.all) }
                    @for stage in Stage::ALL {
                        option value=(stage.word()) selected[filter.stage == Some(stage)] {
                            (part::sign(stage)) " " (say.stage(stage))
                        }
                    }
                }
            }
            div.field {
                label for="size" { (w.size) }
                select id="size" name="size" {
                    option value="" { (w.all) }
                    @for size in &view.sizes {
                        option value=(size) selected[chosen(&filter.size, size)] { (size) }
                    }
                }
            }
            @if let Some(service) = &filter.service {
                input type="hidden" name="service" value=(service);
            }
            button type="submit" { (w.show) }
            @if visit.query.iter().any(|(key, value)| key != "done" && !value.is_empty()) {
                a.button.plain href="/console/grid" { (w.show_all) }
            }
        }
    }
}

fn ground(say: &Say, lines: &[GroundLine]) -> Markup {
    html! {
        @if lines.is_empty() { (part::nothing(say.w.grid_nothing)) }
        dl.ground {
            @for line in lines {
                div {
                    dt { (part::said(say, &line.service)) }
                    dd {
                        @for cell in &line.cells { (chip(say, cell)) }
                    }
                }
            }
        }
    }
}

/// An instance; of several, each by its site.
fn chip(say: &Say, cell: &GroundCell) -> Markup {
    let word = say.stage(cell.stage);
    let place = cell.site.as_ref().map_or("", |(_, name)| say.text(name));
    html! {
        a.chip.{ "stage-" (cell.stage.word()) } href={ "/console/cells/" (cell.id) }
            title={ (cell.id) " " (place) ": " (word) } {
            span.stage-sign aria-hidden="true" { (part::sign(cell.stage)) }
            @match &cell.site {
                Some((id, _)) => { (id) span.hidden { ": " (word) } }
                None => { (word) }
            }
        }
    }
}

fn table(say: &Say, view: &GridView, rows: &[(String, Markup)]) -> Markup {
    let w = say.w;
    html! {
        div.grid-box tabindex="0" role="region" aria-label=(w.grid_tenants) {
            table.grid {
                caption.hidden { (w.grid_caption) }
                thead {
                    tr {
                        th.grid-corner scope="col" { (w.tenant) }
                        @for column in &view.columns {
                            th.grid-service scope="col" title=(part::said(say, &column.name)) {
                                span { (part::said(say, &column.name)) }
                            }
                        }
                    }
                }
                tbody { @for (_, row) in rows { (row) } }
            }
        }
        (legend(say))
    }
}

fn tenant_row(say: &Say, row: &TenantRow, columns: &[Column]) -> Markup {
    html! {
        tr id={ "row-" (row.id) } {
            th scope="row" {
                a href={ "/console/tenants/" (row.id) }
                    title={ (row.size) " · " (say.text(&row.site)) } { (row.name) }
            }
            @for (column, cells) in columns.iter().zip(&row.cells) {
                td {
                    @for cell in cells { (grid_cell(say, cell, column, cells.len() > 1)) }
                }
            }
        }
    }
}

fn grid_cell(say: &Say, cell: &GridCell, column: &Column, is_one_of_many: bool) -> Markup {
    let word = say.stage(cell.stage);
    let name = match is_one_of_many {
        true => format!("{} {}", part::said(say, &column.name), cell.id.service()),
        false => part::said(say, &column.name).to_owned(),
    };
    let working = if cell.is_worked { say.w.in_work } else { "" };
    html! {
        a.cell.{ "stage-" (cell.stage.word()) }.worked[cell.is_worked].small[is_one_of_many]
            .faint[!cell.is_meant] href={ "/console/cells/" (cell.id) }
            title={ (name) ": " (word) (working) } aria-label={ (name) ": " (word) (working) } {
            span aria-hidden="true" { (part::sign(cell.stage)) }
            @if !is_one_of_many { span.short aria-hidden="true" { (say.stage_short(cell.stage)) } }
        }
    }
}

fn legend(say: &Say) -> Markup {
    html! {
        p.legend {
            @for stage in Stage::ALL {
                span class={ "stage stage-" (stage.word()) } {
                    span.stage-sign aria-hidden="true" { (part::sign(stage)) }
                    abbr title=(say.stage(stage)) { (say.stage_short(stage)) }
                    " " (say.stage(stage))
                }
            }
            span { span.cell.worked.sample aria-hidden="true" {} (say.w.legend_worked) }
        }
    }
}
