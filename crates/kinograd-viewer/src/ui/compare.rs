//! Methods beside each other: on the steered scene, or as a saved run has them.

use bevy_egui::egui;
use kinograd::Method;
use kinograd_eval::bench::GuidanceReport;

use super::state::Orders;
use crate::bench::{BenchChoice, BenchRun};
use crate::compare::{Compare, CompareMethods, Numbers, Row};

/// What the short comparison holds.
pub const USUAL: [Method; 4] = [
    Method::None,
    Method::Dps,
    Method::PolyakCapped,
    Method::Projection,
];

/// The panel's part.
pub fn show(ui: &mut egui::Ui, compare: &Compare, run: &mut BenchRun, orders: &mut Orders) {
    ui.heading("Compare methods");
    ui.horizontal(|ui| {
        if ui
            .button("Four")
            .on_hover_text(
                "No steering, DPS, capped Polyak, projection; on this scene and seed (C)",
            )
            .clicked()
        {
            orders.compare.write(CompareMethods(USUAL.to_vec()));
        }
        if ui
            .button("All")
            .on_hover_text("Every method (Shift+C)")
            .clicked()
        {
            let all = Method::stepwise().collect();
            orders.compare.write(CompareMethods(all));
        }
        if ui
            .button("Clear")
            .on_hover_text("Take them off the stage (X)")
            .clicked()
        {
            clear(run, orders);
        }
    });
    cell(ui, run);
    if !compare.rows.is_empty() {
        table(ui, compare, run.report.is_some());
    }
}

/// Takes the comparison off the stage.
pub fn clear(run: &mut BenchRun, orders: &mut Orders) {
    *run = BenchRun::default();
    orders.compare.write(CompareMethods(Vec::new()));
}

/// Which cell of a saved run is shown.
fn cell(ui: &mut egui::Ui, run: &mut BenchRun) {
    let Some(report) = &run.report else {
        ui.small(
            "Drop the JSON of `kinograd bench guidance --json` on the window to see its clips.",
        );
        return;
    };
    let name = run.path.file_name().unwrap_or_default().to_string_lossy();
    ui.label(format!("{name}: {}", report.model))
        .on_hover_text(&report.engine);
    let protocol = &report.protocol;
    let choice = &mut run.choice;
    let directions = || protocol.directions_deg.iter();
    pick(
        ui,
        "scenario",
        "The prompt and its goal",
        report
            .scenarios
            .iter()
            .map(|scenario| scenario.prompt.clone()),
        &mut choice.scenario,
    );
    ui.horizontal(|ui| {
        pick(
            ui,
            "direction",
            "Where the target lies from the heading",
            directions().map(|degrees| format!("{degrees} deg")),
            &mut choice.direction,
        );
        let last = (protocol.seeds as u64).saturating_sub(1);
        let seed = egui::DragValue::new(&mut choice.seed)
            .range(0..=last)
            .prefix("seed +")
            .speed(0.05);
        ui.add(seed).on_hover_text("Seeds after the run's first");
        if has_equal_time(report) {
            ui.checkbox(&mut choice.at_equal_time, "equal time")
                .on_hover_text("As many steps as each method makes in the same time");
        }
    });
    *choice = BenchChoice {
        scenario: choice
            .scenario
            .min(report.scenarios.len().saturating_sub(1)),
        ..*choice
    };
}

fn has_equal_time(report: &GuidanceReport) -> bool {
    use kinograd_eval::bench::Budget;
    report.rows_at(Budget::Time).next().is_some()
}

fn pick(
    ui: &mut egui::Ui,
    id: &str,
    hint: &str,
    names: impl Iterator<Item = String>,
    chosen: &mut usize,
) {
    let names: Vec<String> = names.collect();
    let text = names.get(*chosen).cloned().unwrap_or_default();
    egui::ComboBox::from_id_salt(id)
        .selected_text(text)
        .show_ui(ui, |ui| {
            for (index, name) in names.iter().enumerate() {
                ui.selectable_value(chosen, index, name);
            }
        })
        .response
        .on_hover_text(hint);
}

fn table(ui: &mut egui::Ui, compare: &Compare, has_run: bool) {
    let columns = [
        ("method", "As the saved run or the list of methods names it"),
        ("target", "Distance from the target at the end, metres"),
        ("inside", "How deep the root enters an obstacle, metres"),
        ("text", "How well the clip fits its prompt, -1 to 1"),
        (
            "skate",
            "Share of frames in which a standing foot slides, per cent",
        ),
        ("s", "Seconds that this machine took"),
    ];
    egui::Grid::new("compare")
        .striped(true)
        .num_columns(columns.len())
        .show(ui, |ui| {
            for (name, hint) in columns {
                ui.small(name).on_hover_text(hint);
            }
            ui.end_row();
            for row in &compare.rows {
                line(ui, row);
                ui.end_row();
            }
        });
    if has_run {
        ui.small(
            "Numbers of a run stand until its clip is made anew; * where that is another clip.",
        );
    }
}

fn line(ui: &mut egui::Ui, row: &Row) {
    ui.label(&row.label);
    if let Some(numbers) = row.numbers() {
        figures(ui, numbers, row.differs());
    } else {
        let failed = row.outcome.as_ref().and_then(|made| made.as_ref().err());
        let known = row.recorded.as_ref().and_then(|known| known.as_ref().err());
        match failed.or(known) {
            Some(why) => ui.small("failed").on_hover_text(why),
            None => ui.label(""),
        };
        for _ in 0..3 {
            ui.label("");
        }
    }
    match &row.outcome {
        Some(Ok((seconds, _))) => ui.label(format!("{seconds:.2}")),
        Some(Err(why)) => ui.small("failed").on_hover_text(why),
        None => ui.spinner(),
    };
}

fn figures(ui: &mut egui::Ui, numbers: &Numbers, differs: bool) {
    let two = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let mark = if differs { "*" } else { "" };
    ui.label(format!("{}{mark}", two(numbers.target_error_m)));
    ui.label(two(numbers.penetration_m));
    ui.label(two(numbers.text_score));
    ui.label(format!("{:.0}", 100.0 * numbers.foot_skate_ratio));
}
