//! Where each row of the catalogue is tried, if it is not one of these files: a file below the root of the checkout, and a test in it;
//! or why there is nothing to try.

use Where::{Nowhere, Test};

pub enum Where {
    Test(&'static str, &'static str),
    Nowhere(&'static str),
}

const HERE: &str = "tests/tests/bad_inputs.rs";
const SWEEP: &str = "sim-cli/tests/sweep.rs";
const SHARDS: &str = "tests/tests/shards.rs";
const CLI_FILES: &str = "tests/tests/cli/files.rs";
const PROCESS: &str = "sim-cli/tests/process.rs";

/// The numbers of all rows.
#[rustfmt::skip]
pub const ROWS: [u16; 123] = [
    1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 25, 26, 28, 29, 30, 32, 33, 34,
    36, 37, 38, 40, 41, 42, 44, 45, 46, 48, 49, 50, 52, 53, 54, 56, 57, 58, 60, 61, 62, 64, 65, 66, 68,
    69, 70, 72, 73, 74, 76, 77, 78, 80, 81, 82, 84, 85, 86, 88, 89, 90, 92, 93, 94, 96, 97, 98, 100,
    101, 102, 104, 105, 106, 108, 109, 110, 112, 113, 114, 116, 117, 118, 120, 121, 122, 124, 125, 126,
    128, 129, 130, 132, 133, 134, 136, 137, 138, 140, 141, 142, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 156, 157, 158, 160, 161, 162, 164,
];

pub const ELSEWHERE: [(u16, Where); 52] = [
    (46, Test("tests/tests/cli/files.rs", "experiments_of_a_folder_are_found_by_name")),
    (49, Test("tests/tests/bad/files.rs", "numbers")),
    (58, Nowhere("every call has a probability of its own: there is no sum")),
    (68, Test(HERE, "bad_command_lines_are_refused")),
    (74, Nowhere("attempts are counted, so what retries at once ends: see 92 for what does not")),
    (82, Nowhere("probes may come one after the other, so any number of them closes a breaker")),
    (89, Nowhere("there are no health checks")),
    (90, Nowhere("no balancer hashes")),
    (92, Test(HERE, "time_that_stands_still_is_an_end")),
    (93, Test(HERE, "bad_command_lines_are_refused")),
    (94, Test("tests/tests/cli/runs.rs", "a_limit_keeps_the_partial_result")),
    (100, Test("tests/tests/conservation.rs", "random_experiments_obey_every_law_on_both_engines")),
    (101, Test("sim-core/src/queue/fast.rs", "renumber")),
    (102, Test("tests/tests/cli/runs.rs", "a_run_ends_when_its_memory_is_full")),
    (104, Test(PROCESS, "what_surrounds_it_changes_no_byte")),
    (105, Test("tests/tests/cli/help.rs", "without_arguments_it_explains_itself_and_is_a_usage_error")),
    (106, Test(HERE, "bad_command_lines_are_refused")),
    (108, Test(HERE, "bad_command_lines_are_refused")),
    (109, Test(HERE, "bad_command_lines_are_refused")),
    (110, Test(HERE, "bad_command_lines_are_refused")),
    (112, Test(HERE, "bad_command_lines_are_refused")),
    (113, Test("tests/tests/bad/places.rs", "unix")),
    (114, Test(HERE, "bad_command_lines_are_refused")),
    (116, Test("tests/tests/cli/files.rs", "golden_snapshots_are_blessed_compared_and_missed")),
    (117, Test(HERE, "bad_command_lines_are_refused")),
    (117, Test("tests/tests/replications.rs", "another_experiment_is_no_baseline_that_clears")),
    (118, Test(HERE, "bad_command_lines_are_refused")),
    (120, Test(CLI_FILES, "a_full_device_is_told_and_a_closed_pipe_is_not")),
    (121, Test(CLI_FILES, "a_full_device_is_told_and_a_closed_pipe_is_not")),
    (122, Test(PROCESS, "closed_ends_are_no_reason_to_fail")),
    (124, Test(HERE, "bad_places_are_told")),
    (125, Nowhere("who builds here may be root, to whom everything is readable")),
    (126, Test(HERE, "bad_places_are_told")),
    (128, Test(HERE, "bad_places_are_told")),
    (129, Test(HERE, "bad_places_are_told")),
    (130, Test(HERE, "bad_places_are_told")),
    (132, Test(CLI_FILES, "a_symbolic_link_is_not_followed")),
    (133, Test(SWEEP, "a_full_disk_loses_nothing")),
    (134, Test("tests/tests/failing_disk.rs", "every_step_of_what_shows_a_run")),
    (136, Test(SWEEP, "a_second_writer_is_refused_and_the_lock_of_the_dead_is_not")),
    (137, Test(HERE, "bad_command_lines_are_refused")),
    (144, Nowhere("the first one is heard within a tenth of a second")),
    (145, Test(SWEEP, "a_signal_stops_it_and_the_same_command_resumes")),
    (146, Test(SWEEP, "killed_at_random_moments_and_resumed_it_gives_the_same_bytes")),
    (148, Test(SHARDS, "a_damaged_byte_is_found_and_its_shard_repeated")),
    (149, Test(SWEEP, "a_second_writer_is_refused_and_the_lock_of_the_dead_is_not")),
    (150, Test(SHARDS, "a_bug_in_one_run_leaves_the_others")),
    (153, Test("sim-cli/src/html/tests.rs", "hostile_paths_stay_text")),
    (158, Nowhere("an experiment names no other file")),
    (160, Nowhere("an experiment names no other file")),
    (162, Nowhere("nothing is searched for by a pattern")),
    (164, Test("sim-cli/src/html/tests.rs", "a_page_asks_nobody_and_allows_only_what_it_carries")),
];
