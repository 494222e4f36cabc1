//! The denoising steps: a scrub and three plots.

use bevy_egui::egui;
use egui_plot::{Legend, Line, Plot, PlotPoints, VLine};

use crate::denoising::Denoising;

/// Scrub and plots.
pub fn show(ui: &mut egui::Ui, denoising: &mut Denoising) {
    ui.heading("Denoising");
    let Some(last) = denoising.steps.len().checked_sub(1) else {
        ui.small("Make a clip to see its steps.");
        return;
    };
    ui.horizontal(|ui| {
        let mut step = denoising.shown.unwrap_or(last).min(last);
        let slider = egui::Slider::new(&mut step, 0..=last).text("step");
        let answer = ui
            .add(slider)
            .on_hover_text("See x̂0 as it was at this step (, and .)");
        if answer.changed() {
            denoising.shown = Some(step);
        }
        let own = egui::Button::new("Clip");
        if ui
            .add_enabled(denoising.shown.is_some(), own)
            .on_hover_text("Back to the clip itself (/)")
            .clicked()
        {
            denoising.shown = None;
        }
    });
    let at = denoising.shown.map(|step| step as f64);
    curves(ui, "loss per term", denoising.loss_curves(), at, true);
    let gradient = denoising.curve(|step| step.gradient_norm);
    curves(
        ui,
        "gradient norm",
        vec![("by x0".to_owned(), gradient)],
        at,
        true,
    );
    let change = denoising.curve(|step| step.step_size);
    curves(
        ui,
        "step size",
        vec![("rms change of x̂0".to_owned(), change)],
        at,
        false,
    );
}

/// Lines over the steps; losses span decades and are shown as logarithms to base 10.
fn curves(
    ui: &mut egui::Ui,
    title: &str,
    lines: Vec<(String, Vec<[f64; 2]>)>,
    at: Option<f64>,
    logarithmic: bool,
) {
    let lines: Vec<(String, Vec<[f64; 2]>)> = lines
        .into_iter()
        .map(|(name, points)| (name, scaled(&points, logarithmic)))
        .collect();
    let title = if logarithmic {
        format!("log10 of {title}")
    } else {
        title.to_owned()
    };
    ui.small(&title);
    Plot::new(title)
        .height(92.0)
        .legend(Legend::default())
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .show(ui, move |plot| {
            for (name, points) in lines {
                plot.line(Line::new(name, PlotPoints::from(points)));
            }
            if let Some(at) = at {
                plot.vline(VLine::new("shown", at));
            }
        });
}

/// Points as they are drawn: what has no logarithm is left out.
fn scaled(points: &[[f64; 2]], logarithmic: bool) -> Vec<[f64; 2]> {
    let value = |&[x, y]: &[f64; 2]| {
        let y = if logarithmic { y.log10() } else { y };
        y.is_finite().then_some([x, y])
    };
    points.iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_met_has_no_logarithm() {
        assert_eq!(scaled(&[[0.0, 100.0], [1.0, 0.0]], true), vec![[0.0, 2.0]]);
        assert_eq!(scaled(&[[1.0, 0.0]], false), vec![[1.0, 0.0]]);
    }
}
