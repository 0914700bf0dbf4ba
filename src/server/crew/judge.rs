//! What the figures of a runtime mean for the number of its threads: the decision, without threads and clocks.

use std::time::{Duration, Instant};

use super::contention::{Contention, Verdict, Work};

/// Time over which the load is measured.
const WINDOW: Duration = Duration::from_millis(100);

/// Load of the working threads, in percent, above which more are called.
const CALL_ABOVE_PERCENT: u128 = 93;

/// Load that one thread less would have, in percent, below which one goes to rest to see whether the others suffice.
/// Why more than a thread can bear: what threads do to wake each other counts as load, and is gone with one of them.
const REST_BELOW_PERCENT: u128 = 112;

/// Windows in a row that must be so calm before a thread goes to rest.
const CALM_WINDOWS_MIN: u32 = 5;

/// As many after threads that were sent to rest had to be called again and again: each time twice as many.
const CALM_WINDOWS_MAX: u32 = 320;

/// Windows after which a thread that went to rest is no longer missed.
const TRIAL_WINDOWS: u32 = 20;

/// What the watch sees. The vectors are indexed by the thread's number.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// Threads that rest.
    pub(super) resting: usize,
    /// How often each thread went to sleep or woke: odd while it sleeps.
    pub(super) parks: Vec<u64>,
    /// How long each thread was awake so far, told when it goes to sleep.
    pub(super) busy: Vec<Duration>,
    /// What was done so far.
    pub(super) work: Work,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// Nothing.
    Stay,
    /// One thread more is to rest.
    Rest,
    /// So many threads are to work again.
    Call {
        /// How many.
        threads: usize,
    },
}

/// Judges one look after another.
#[derive(Debug)]
pub(super) struct Judge {
    threads: usize,
    last: Option<Look>,
    /// When the window began, and what was seen then; none where its measure would be wrong.
    window: Option<(Instant, Look)>,
    began: Instant,
    calm_windows: u32,
    /// Calm windows that are asked for.
    patience: u32,
    /// Windows since a thread went to rest.
    since_rest: u32,
    idle: bool,
    contention: Contention,
}

impl Judge {
    /// A judge of so many threads, all of them working.
    pub(super) fn new(threads: usize, now: Instant) -> Self {
        Self {
            threads,
            last: None,
            window: None,
            began: now,
            calm_windows: 0,
            patience: CALM_WINDOWS_MIN,
            since_rest: TRIAL_WINDOWS,
            idle: false,
            contention: Contention::default(),
        }
    }

    /// Nothing went on in the last window.
    pub(super) fn is_idle(&self) -> bool {
        self.idle
    }

    /// What to do after this look.
    pub(super) fn judge(&mut self, look: &Look, now: Instant) -> Advice {
        let working = self.threads.saturating_sub(look.resting);
        let last = self.last.replace(look.clone());
        let saturated = last.as_ref().is_some_and(|last| stuck(last, look) >= self.threads);
        self.idle &= !saturated;
        // Why not where fewer threads get as much done, and do: they are not stuck, but have no rest.
        let serves =
            self.contention.is_settled() && last.is_some_and(|last| look.work.commands > last.work.commands);
        if saturated && look.resting > 0 && !serves {
            return self.call(working, look.resting);
        }
        if now.saturating_duration_since(self.began) < WINDOW {
            return Advice::Stay;
        }
        let window = self.window.replace((now, look.clone()));
        self.began = now;
        match window {
            Some((began, before)) => self.judge_window(&before, look, now - began, (working, saturated)),
            None => Advice::Stay,
        }
    }

    fn judge_window(
        &mut self,
        before: &Look,
        look: &Look,
        time: Duration,
        (working, saturated): (usize, bool),
    ) -> Advice {
        let load = load_percent(before, look, time);
        self.idle = load == 0 && !saturated;
        self.since_rest = (self.since_rest + 1).min(TRIAL_WINDOWS);
        match self.contention.judge(look.work.since(before.work).per(time), working) {
            Verdict::None => {}
            Verdict::Rest => return self.changed(Advice::Rest),
            Verdict::Call => return self.changed(Advice::Call { threads: 1.min(look.resting) }),
            Verdict::Stay => return Advice::Stay,
        }
        // Why both: a thread that has no rest tells of no load.
        if saturated || load > CALL_ABOVE_PERCENT * working as u128 {
            return self.call(working, look.resting);
        }
        let calm = working > 1 && load < REST_BELOW_PERCENT * (working as u128 - 1);
        self.calm_windows = if calm { self.calm_windows + 1 } else { 0 };
        // Why: one after the other, each judged by what the load is then; but without a pause where there is none.
        if calm && (load == 0 || self.calm_windows >= self.patience) {
            self.calm_windows = 0;
            self.since_rest = 0;
            return self.changed(Advice::Rest);
        }
        Advice::Stay
    }

    /// Calls as many again as work, so that a sudden load finds all threads soon.
    fn call(&mut self, working: usize, resting: usize) -> Advice {
        self.calm_windows = 0;
        let missed = resting > 0 && self.since_rest < TRIAL_WINDOWS;
        self.patience = if missed { (2 * self.patience).min(CALM_WINDOWS_MAX) } else { CALM_WINDOWS_MIN };
        self.since_rest = TRIAL_WINDOWS;
        match working.max(1).min(resting) {
            0 => Advice::Stay,
            threads => self.changed(Advice::Call { threads }),
        }
    }

    /// What a thread tells of itself after a rest counts the rest as work: its window is left out.
    fn changed(&mut self, advice: Advice) -> Advice {
        self.window = None;
        advice
    }
}

/// Threads that were awake at both looks and did not sleep in between; those that rest are among them.
fn stuck(last: &Look, look: &Look) -> usize {
    last.parks.iter().zip(&look.parks).filter(|(last, now)| last == now && **now % 2 == 0).count()
}

/// How long the threads were awake, in percent of the window, 100 for each thread that was all the time.
fn load_percent(before: &Look, look: &Look, time: Duration) -> u128 {
    let busy = before.busy.iter().zip(&look.busy).map(|(before, now)| now.saturating_sub(*before).min(time));
    busy.sum::<Duration>().as_micros() * 100 / time.as_micros().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads that are told what they did, and a clock.
    struct Stage {
        judge: Judge,
        look: Look,
        now: Instant,
        /// Commands in 10 ms, and those in vain, by the number of threads that work.
        commands: fn(usize) -> (u64, u64),
    }

    impl Stage {
        fn new(threads: usize) -> Self {
            let now = Instant::now();
            let busy = vec![Duration::ZERO; threads];
            let look = Look { resting: 0, parks: vec![1; threads], busy, work: Work::default() };
            Self { judge: Judge::new(threads, now), look, now, commands: |_| (0, 0) }
        }

        /// 10 ms in which each working thread was busy for so many percent; those that rest are the last ones.
        fn tick(&mut self, percents: &[u64]) -> Advice {
            let working = self.look.parks.len() - self.look.resting;
            for (thread, parks) in self.look.parks.iter_mut().enumerate() {
                let percent = percents.get(thread).copied().unwrap_or(0);
                if thread >= working || percent == 100 {
                    *parks += *parks % 2;
                } else if percent > 0 {
                    *parks += 2 + (1 - *parks % 2);
                    self.look.busy[thread] += Duration::from_micros(100 * percent);
                }
            }
            let (commands, wasted) = (self.commands)(working);
            self.look.work.commands += commands;
            self.look.work.wasted += wasted;
            self.now += Duration::from_millis(10);
            let advice = self.judge.judge(&self.look, self.now);
            match advice {
                Advice::Stay => {}
                Advice::Rest => self.look.resting += 1,
                Advice::Call { threads } => self.look.resting -= threads,
            }
            advice
        }

        /// The number of working threads after so many milliseconds of such a load.
        fn after(&mut self, millis: u64, percents: &[u64]) -> usize {
            for _ in 0..millis / 10 {
                self.tick(percents);
            }
            self.look.parks.len() - self.look.resting
        }
    }

    #[test]
    fn without_work_one_thread_is_left() {
        assert_eq!(Stage::new(8).after(3000, &[]), 1);
    }

    #[test]
    fn a_load_that_one_thread_carries_leaves_it_alone() {
        let mut stage = Stage::new(4);
        assert_eq!(stage.after(3000, &[]), 1);
        assert_eq!(stage.after(5000, &[70]), 1);
        assert_eq!(stage.after(5000, &[90]), 1);
    }

    #[test]
    fn threads_that_share_a_small_load_give_way_after_a_while() {
        let mut stage = Stage::new(2);
        assert_eq!(stage.after(300, &[25, 25]), 2);
        assert_eq!(stage.after(3000, &[25, 25]), 1);
        let mut stage = Stage::new(2);
        assert_eq!(stage.after(10_000, &[60, 60]), 2);
    }

    #[test]
    fn a_thread_that_is_missed_after_all_rests_less_and_less_often() {
        let mut stage = Stage::new(2);
        let mut rests = Vec::new();
        for tick in 0..20_000 {
            // Two threads share what is a little too much for one.
            let percents: &[u64] = if stage.look.resting == 0 { &[52, 52] } else { &[95] };
            if stage.tick(percents) == Advice::Rest {
                rests.push(tick);
            }
        }
        let pauses: Vec<_> = rests.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(pauses.is_sorted() && pauses.len() < 14, "{pauses:?}");
    }

    #[test]
    fn a_thread_that_does_not_come_back_is_relieved_at_the_next_look_but_one() {
        let mut stage = Stage::new(4);
        stage.after(3000, &[]);
        stage.tick(&[100]);
        assert_eq!(stage.tick(&[100]), Advice::Call { threads: 1 });
    }

    #[test]
    fn a_sudden_load_finds_all_threads_within_a_tenth_of_a_second() {
        let mut stage = Stage::new(32);
        assert_eq!(stage.after(10_000, &[]), 1);
        assert_eq!(stage.after(100, &[100; 32]), 32);
    }

    #[test]
    fn a_high_load_calls_one_more_before_it_is_too_high() {
        let mut stage = Stage::new(2);
        assert_eq!(stage.after(3000, &[]), 1);
        assert_eq!(stage.after(500, &[95]), 2);
        assert_eq!(stage.after(5000, &[60, 60]), 2);
    }

    #[test]
    fn a_thread_that_is_only_in_the_way_rests_though_the_others_have_no_rest() {
        let mut stage = Stage::new(2);
        stage.commands = |working| if working == 1 { (4000, 0) } else { (4000, 3000) };
        assert_eq!(stage.after(1500, &[100, 100]), 1);
        let mut ticks_with_two = 0;
        for _ in 0..3000 {
            stage.tick(&[100, 100]);
            ticks_with_two += usize::from(stage.look.resting == 0);
        }
        assert!(ticks_with_two < 450, "{ticks_with_two} of 3000");
        // The threads are not in each other's way any more.
        stage.commands = |working| (4000 * working as u64, 0);
        assert_eq!(stage.after(7000, &[100, 100]), 2);
        // And what holds one up is relieved soon.
        stage.commands = |working| if working == 1 { (4000, 0) } else { (4000, 3000) };
        assert_eq!(stage.after(1500, &[100, 100]), 1);
        stage.commands = |_| (0, 0);
        assert_eq!(stage.after(30, &[100, 100]), 2);
    }

    #[test]
    fn a_thread_that_is_in_the_way_and_yet_gets_more_done_is_called_back() {
        let mut stage = Stage::new(2);
        stage.commands = |working| (3000 * working as u64, 1500 * (working as u64 - 1));
        let mut resting = 0;
        for _ in 0..6000 {
            stage.tick(&[100, 100]);
            resting += stage.look.resting;
        }
        assert!((1..600).contains(&resting), "{resting} of 6000");
        assert_eq!(stage.after(10, &[100, 100]), 2);
    }

    #[test]
    fn all_threads_busy_and_none_at_rest_changes_nothing() {
        let mut stage = Stage::new(2);
        for _ in 0..100 {
            assert_eq!(stage.tick(&[100, 100]), Advice::Stay);
        }
    }
}
