//! How a clip forms: x̂0 at denoising steps, side by side or one after another.

use std::path::Path;

use bevy::prelude::*;
use kinograd::TaskSpec;
use kinograd::render::FilmWriter;
use kinograd_bevy::{MotionClip, StepRecord};

use super::film::{OffscreenOptions, RenderError, laid_out};
use super::picture::Picture;
use super::studio::Studio;
use crate::camera::{body_points, frame_points};
use crate::scene::look::body_color;
use crate::scene::marks::extent;

/// Poses of a clip in a picture of a step.
const POSES: usize = 5;
/// How far beyond the clip a step may go and still be in the picture, metres.
const BEYOND_M: f32 = 1.0;
/// Pictures of a film of steps per second.
const FPS: f64 = 5.0;
/// Pictures of the clip at the end of a film of steps.
const REST: usize = 10;

/// Draws `tiles` pictures, of the steps and of the clip that came of them, in rows of `columns`, to a
/// `.png`; or all of them one after another to a film. The options' size is that of one picture. Returns
/// how many were drawn.
///
/// # Errors
/// As [`super::render`].
pub fn render_steps(
    steps: &[StepRecord],
    clip: &MotionClip,
    scene: &TaskSpec,
    output: &Path,
    (tiles, columns): (usize, usize),
    options: &OffscreenOptions,
) -> Result<usize, RenderError> {
    if !(2..=48).contains(&tiles) || columns == 0 {
        let message = "a strip has 2 to 48 pictures, in rows of at least 1";
        return Err(RenderError::Input(message.to_owned()));
    }
    let is_still = output
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if is_still {
        let shown = evenly(steps, tiles - 1);
        let mut strip = Strip::open(&shown, clip, scene, options)?;
        let mut pictures = Vec::new();
        for step in shown {
            pictures.push(strip.step(step)?);
        }
        pictures.push(strip.picture(clip, "CLIP")?);
        let sheet = Picture::tiled(&pictures, columns);
        let sheet = sheet.ok_or_else(|| RenderError::Input("no steps".to_owned()))?;
        sheet.write_png(output).map_err(RenderError::Input)?;
        return Ok(pictures.len());
    }
    let fps = options.fps.unwrap_or(FPS);
    let mut film = FilmWriter::create(output, options.size_px, fps)?;
    let all: Vec<&StepRecord> = steps.iter().collect();
    let mut strip = Strip::open(&all, clip, scene, options)?;
    for step in steps {
        film.add(&strip.step(step)?.rgba())?;
    }
    let last = strip.picture(clip, "CLIP")?.rgba();
    for _ in 0..REST {
        film.add(&last)?;
    }
    film.finish()?;
    Ok(steps.len() + REST)
}

/// At most so many of the steps, the first and the last among them.
fn evenly(steps: &[StepRecord], count: usize) -> Vec<&StepRecord> {
    let last = steps.len().saturating_sub(1) as f64;
    let gaps = count.saturating_sub(1).max(1) as f64;
    let mut chosen: Vec<usize> = (0..count)
        .map(|tile| (last * tile as f64 / gaps).round() as usize)
        .collect();
    chosen.dedup();
    chosen.into_iter().filter_map(|at| steps.get(at)).collect()
}

/// A studio in which one clip after another is seen from one place.
struct Strip {
    studio: Studio,
    people: Vec<Entity>,
}

impl Strip {
    fn open(
        steps: &[&StepRecord],
        clip: &MotionClip,
        scene: &TaskSpec,
        options: &OffscreenOptions,
    ) -> Result<Self, RenderError> {
        let (width, height) = options.size_px;
        let mut studio = Studio::open(width, height, options.smooth)?;
        studio.show_trails(options.shows_trails);
        studio.wear(options.character.clone());
        studio.set_scene(Some(scene.clone()), vec![Vec3::ZERO]);
        let bodies = |clip: &MotionClip| -> Vec<Vec3> {
            let joints = clip.joints_m.iter().step_by(3);
            joints
                .flat_map(|joints| body_points(joints, Vec3::ZERO))
                .collect()
        };
        let mut points = bodies(clip);
        points.extend(extent(scene));
        let low = points.iter().copied().fold(Vec3::MAX, Vec3::min) - BEYOND_M;
        let high = points.iter().copied().fold(Vec3::MIN, Vec3::max) + BEYOND_M;
        let is_near = |at: &Vec3| at.cmpge(low).all() && at.cmple(high).all();
        for step in steps {
            points.extend(bodies(&step.clip).into_iter().filter(is_near));
        }
        let aspect = width as f32 / height.max(1) as f32;
        studio.aim(frame_points(&points, options.view, aspect, 0.12));
        let people = Vec::new();
        Ok(Self { studio, people })
    }

    fn step(&mut self, step: &StepRecord) -> Result<Picture, RenderError> {
        let title = format!("STEP {} OF {}", step.index + 1, step.total);
        self.picture(&step.clip, &title)
    }

    /// Poses along a clip, the later the stronger, with a title.
    fn picture(&mut self, clip: &MotionClip, title: &str) -> Result<Picture, RenderError> {
        for person in self.people.drain(..) {
            self.studio.world_mut().entity_mut(person).despawn();
        }
        let mut clips = self.studio.world_mut().resource_mut::<Assets<MotionClip>>();
        let shared = clips.add(clip.clone());
        for (pose, (time, shift)) in laid_out(clip, POSES).into_iter().enumerate() {
            let share = (pose + 1) as f32 / POSES as f32;
            let pale = Color::srgb(0.86, 0.87, 0.89);
            let color = pale.mix(&body_color(0), 0.25 + 0.75 * share);
            let person = self.studio.add_player(shared.clone(), shift, color, 1.0);
            self.studio.set_time(person, time);
            self.people.push(person);
        }
        self.studio.dress()?;
        let mut picture = self.studio.picture()?;
        let pixel = (picture.height / 130).max(1);
        picture.write(title, (6 * pixel, 5 * pixel), pixel, [70, 80, 98]);
        Ok(picture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd::motion::synth::synth_walk;

    #[test]
    fn strips_begin_and_end_with_the_run() {
        let clip = MotionClip::new("walk", synth_walk(1.0, 1.0, 20.0)).unwrap();
        let step = |index| StepRecord {
            index,
            total: 20,
            clip: clip.clone(),
            losses: Vec::new(),
            gradient_norm: 0.0,
            step_size: 0.0,
        };
        let steps: Vec<StepRecord> = (0..20).map(step).collect();
        let indices = |steps: &[StepRecord], count| -> Vec<usize> {
            evenly(steps, count).iter().map(|step| step.index).collect()
        };
        assert_eq!(indices(&steps, 5), [0, 5, 10, 14, 19]);
        assert_eq!(indices(&steps, 1), [0]);
        assert_eq!(indices(&steps[..3], 9), [0, 1, 2]);
        assert!(indices(&[], 3).is_empty());
    }
}
