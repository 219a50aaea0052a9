//! Downloads into files on a simulated disk that loses power between any two steps.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails stops")]

mod driver;

use oss_crc::checksum;
use oss_proto::ErrorKind;
use oss_proto::transfer::{FileStep, Fresh, SaveStep, TransferErrorKind};
use oss_sim::sim_fs::{Fault, SimFs};

use driver::{CHECKPOINT, Driver, End, Flying, Manner, OLD, Object, TARGET};

/// How many steps on the disk a download takes when nothing goes wrong.
fn steps_of(object: &Object, manner: Manner, old: Option<&[u8]>) -> u64 {
    let mut fs = SimFs::new(manner.seed);
    if let Some(old) = old {
        fs.plant(TARGET, old);
    }
    Driver::new(&mut fs, object, manner).run().done().unwrap();
    assert_eq!(fs.content(TARGET).unwrap(), object.bytes);
    assert_eq!(fs.names().collect::<Vec<_>>(), [TARGET], "nothing else is left");
    assert!(!fs.is_locked());
    fs.steps()
}

/// The target is as it was, or as it is to be.
fn check_target(fs: &SimFs, object: &Object, old: Option<&[u8]>, context: &str) {
    let found = fs.content(TARGET);
    assert!(found == old || found == Some(&object.bytes), "{context}: {found:?}");
}

#[test]
fn f75_a_crash_between_any_two_steps_leaves_the_old_file_or_the_new_one_and_is_gone_on_with() {
    let (mut points, mut crashes_again) = (0, 0);
    for (size, part_size, lanes, chunk) in
        [(0, 10, 1, 4), (1, 10, 3, 4), (57, 10, 1, 3), (57, 10, 4, 3), (400, 40, 3, 4), (801, 100, 4, 4)]
    {
        for has_checkpoint in [true, false] {
            for old in [None, Some(OLD)] {
                let object = Object::new(size);
                let mut manner = Manner { has_checkpoint, ..Manner::new(part_size, lanes, chunk) };
                let steps = steps_of(&object, manner, old);
                assert!(size < 801 || steps >= 200, "{steps} steps");
                for at in 0..=steps {
                    manner.seed = at * 31 + size as u64;
                    let mut fs = SimFs::new(manner.seed);
                    if let Some(old) = old {
                        fs.plant(TARGET, old);
                    }
                    fs.crash_before(at);
                    let end = Driver::new(&mut fs, &object, manner).run();
                    fs.restart();
                    points += 1;
                    let context = format!("{size} bytes, {lanes} lanes, before step {at}");
                    check_target(&fs, &object, old, &context);
                    if let End::Done(result) = end {
                        result.unwrap();
                        assert_eq!(fs.content(TARGET).unwrap(), object.bytes, "{context}: success lasts");
                        continue;
                    }
                    // Once more, with another crash on the way, and then to the end.
                    manner.seed += 1;
                    fs.crash_before(at / 2);
                    let again = Driver::new(&mut fs, &object, manner).run();
                    fs.restart();
                    check_target(&fs, &object, old, &context);
                    crashes_again += u32::from(matches!(again, End::Crash));
                    manner.seed += 1;
                    Driver::new(&mut fs, &object, manner).run().done().expect(&context);
                    assert_eq!(fs.content(TARGET).unwrap(), object.bytes, "{context}");
                    assert!(!fs.is_locked() && fs.content(CHECKPOINT).is_none());
                }
            }
        }
    }
    println!("{points} crash points, {crashes_again} of them with a second crash");
    assert!(points > 1000 && crashes_again > 500);
}

#[test]
fn f75_f36_any_crash_any_break_and_any_order_end_in_the_exact_bytes() {
    for seed in 0..3000 {
        let object = Object::new((seed % 300) as usize);
        let mut manner =
            Manner { breaks: 2 + seed % 9, seed, ..Manner::new(1 + seed % 90, 1 + (seed % 5) as u32, 7) };
        let mut fs = SimFs::new(seed);
        fs.plant(TARGET, OLD);
        let mut is_over = false;
        for crash in 0..6 {
            manner.seed = seed * 7 + crash;
            fs.crash_before((seed * 13 + crash * 17) % 150);
            let end = Driver::new(&mut fs, &object, manner).run();
            fs.restart();
            check_target(&fs, &object, Some(OLD), &format!("seed {seed}"));
            is_over = matches!(&end, End::Done(result) if result.is_ok());
            if is_over {
                break;
            }
        }
        if !is_over {
            manner.breaks = 0;
            Driver::new(&mut fs, &object, manner).run().done().unwrap();
        }
        assert_eq!(fs.content(TARGET).unwrap(), object.bytes, "seed {seed}");
    }
}

#[test]
fn f73_f74_a_disk_that_fails_at_any_step_ends_it_at_once_with_one_cause() {
    let object = Object::new(120);
    for has_checkpoint in [true, false] {
        let mut manner = Manner { has_checkpoint, ..Manner::new(30, 3, 5) };
        let steps = steps_of(&object, manner, Some(OLD));
        for fault in [Fault::Full, Fault::Broken, Fault::Short] {
            for at in 0..steps {
                manner.seed = at + 1;
                let mut fs = SimFs::new(at);
                fs.plant(TARGET, OLD);
                fs.fail_at(at, fault);
                let (end, step) = Driver::new(&mut fs, &object, manner).run_noting();
                let (end, context) = (end.done(), format!("{fault:?} at step {at}, {step:?}"));
                assert!(!fs.is_locked() || end.is_ok(), "{context}");
                match end {
                    // What cannot be removed, given back or read of an earlier one is not the file's harm.
                    Ok(_) => {
                        assert_eq!(fs.content(TARGET).unwrap(), object.bytes, "{context}");
                        // `None`: it was over before that step.
                        let harmless = matches!(step, None | Some(FileStep::Lock | FileStep::Checkpoint));
                        assert!(harmless, "{context}");
                    }
                    Err(error) => {
                        let TransferErrorKind::File(file) = error.kind() else {
                            panic!("{context}: {error}")
                        };
                        assert!(error.to_string().ends_with(&format!("{fault:?}")), "{error}");
                        let is_in_place = file.step() == FileStep::SyncDirectory;
                        let expected = if is_in_place { &object.bytes[..] } else { OLD };
                        assert_eq!(fs.content(TARGET).unwrap(), expected, "{context}");
                        let is_kept = fs.content(CHECKPOINT).is_some();
                        let parts = fs.names().filter(|name| name.ends_with(".part")).count();
                        assert!(
                            parts == usize::from(is_kept),
                            "{context}: {:?}",
                            fs.names().collect::<Vec<_>>()
                        );
                    }
                }
                fs.restart();
                check_target(&fs, &object, Some(OLD), &context);
                manner.seed += 1000;
                Driver::new(&mut fs, &object, manner).run().done().unwrap();
                assert_eq!(fs.content(TARGET).unwrap(), object.bytes, "{context}");
            }
        }
    }
}

#[test]
fn f75_a_file_that_has_lost_bytes_by_its_end_does_not_get_its_name() {
    let object = Object::new(120);
    for has_checkpoint in [true, false] {
        for len in [0, 119] {
            let mut fs = SimFs::new(1);
            fs.plant(TARGET, OLD);
            let mut driver =
                Driver::new(&mut fs, &object, Manner { has_checkpoint, ..Manner::new(30, 3, 5) });
            driver.cut_to = Some(len);
            let error = driver.run().done().unwrap_err();
            let TransferErrorKind::File(file) = error.kind() else { panic!("{error}") };
            assert_eq!(file.step(), FileStep::Measure, "{error}");
            assert_eq!(fs.content(TARGET).unwrap(), OLD);
            assert_eq!(fs.names().collect::<Vec<_>>(), [TARGET], "of no use");
        }
    }
}

/// The disk of a download whose process was killed after so many steps.
fn broken_off(object: &Object, manner: Manner, steps: u64) -> SimFs {
    let mut fs = SimFs::new(3);
    fs.plant(TARGET, OLD);
    fs.crash_before(steps);
    let mut driver = Driver::new(&mut fs, object, manner);
    driver.chance = 1;
    assert!(matches!(driver.run(), End::Crash));
    fs.kill();
    fs
}

fn part_of(fs: &SimFs) -> String {
    fs.names().find(|name| name.ends_with(".part")).expect("a partial file is there").to_owned()
}

/// A disk on which a download was cancelled in the middle: everything that is there is whole.
fn cancelled(object: &Object, manner: Manner) -> SimFs {
    let mut fs = SimFs::new(3);
    fs.plant(TARGET, OLD);
    let mut driver = Driver::new(&mut fs, object, Manner { lanes: 1, ..manner });
    driver.cancel_at = Some(2);
    let error = driver.run().done().unwrap_err();
    assert!(error.is_cancelled());
    assert!(fs.content(CHECKPOINT).is_some() && !fs.is_locked());
    fs
}

#[test]
fn b57_a_checkpoint_with_any_bit_flipped_or_cut_anywhere_is_restarted_and_says_why() {
    let object = Object::new(120);
    let manner = Manner::new(30, 2, 10);
    let mut fs = cancelled(&object, manner);
    let text = fs.content(CHECKPOINT).unwrap().to_vec();
    assert!(String::from_utf8_lossy(&text).contains("part 1"), "something was done");
    fs.restart();
    let whole = Driver::new(&mut fs.clone(), &object, manner).run().done().unwrap();
    assert_eq!(whole.fresh, None);
    let flips = (0..text.len() * 8).map(|bit| {
        let mut text = text.clone();
        text[bit / 8] ^= 1 << (bit % 8);
        text
    });
    let cuts = (0..text.len()).map(|len| text[..len].to_vec());
    for damaged in flips.chain(cuts) {
        let mut fs = fs.clone();
        fs.damage(CHECKPOINT, |content| *content = damaged);
        let manner = Manner { seed: 99, ..manner };
        let saved = Driver::new(&mut fs, &object, manner).run().done().unwrap();
        assert!(matches!(saved.fresh, Some(Fresh::Unreadable(_))), "{:?}", saved.fresh);
        assert_eq!(fs.content(TARGET).unwrap(), object.bytes);
    }
}

#[test]
fn b59_what_is_on_the_disk_is_read_again_before_it_counts() {
    let object = Object::new(240);
    let manner = Manner::new(30, 2, 10);
    let fs = cancelled(&object, manner);
    let part = part_of(&fs);
    let kept = |fs: &mut SimFs| {
        let mut driver = Driver::new(fs, &object, Manner { seed: 50, ..manner });
        driver.manner.breaks = 0;
        let saved = driver.run().done().unwrap();
        assert_eq!(fs.content(TARGET).unwrap(), object.bytes);
        saved
    };
    assert_eq!(kept(&mut fs.clone()).fresh, None);
    // Changed at any one byte, cut at any byte, longer, empty, gone.
    for at in 0..fs.content(&part).unwrap().len() {
        let mut changed = fs.clone();
        changed.damage(&part, |content| content[at] ^= 1);
        kept(&mut changed);
        let mut cut = fs.clone();
        cut.damage(&part, |content| content.truncate(at));
        kept(&mut cut);
    }
    let mut longer = fs.clone();
    longer.damage(&part, |content| content.resize(1000, 9));
    kept(&mut longer);
    let mut gone = fs.clone();
    gone.remove(&part).unwrap();
    assert!(matches!(kept(&mut gone).fresh, Some(Fresh::NoPartialFile { .. })));
}

#[test]
fn b60_a_forged_checkpoint_and_file_give_an_error_and_never_wrong_bytes() {
    let object = Object::new(120);
    let manner = Manner::new(30, 2, 10);
    for has_crc in [true, false] {
        let mut fs = cancelled(&object, manner);
        let object = Object { has_crc, ..object.clone() };
        let part = part_of(&fs);
        // Every byte of the first part is somebody else's, and the checkpoint says that it is right so.
        fs.damage(&part, |content| content[..30].fill(b'x'));
        let text = String::from_utf8(fs.content(CHECKPOINT).unwrap().to_vec()).unwrap();
        let honest = format!("part 1 {:016x}", checksum(&object.bytes[..30]));
        assert!(text.contains(&honest), "{text}");
        let mut forged = text.replace(&honest, &format!("part 1 {:016x}", checksum(&[b'x'; 30])));
        if !has_crc {
            // It was made of an object without a checksum, as this one is.
            forged.replace_range(forged.find("crc64 ").unwrap()..forged.find("part 1").unwrap(), "");
        }
        let body = &forged[..forged.rfind("sum ").unwrap()];
        let forged = format!("{body}sum {:016x}\n", checksum(body.as_bytes()));
        fs.damage(CHECKPOINT, |content| *content = forged.into_bytes());
        let result = Driver::new(&mut fs, &object, Manner { seed: 60, ..manner }).run().done();
        match result {
            Ok(_) => assert_eq!(fs.content(TARGET).unwrap(), object.bytes, "CRC known: {has_crc}"),
            Err(error) => {
                assert!(matches!(error.call().unwrap().kind(), ErrorKind::Corrupt(_)), "{error}");
                assert_eq!(fs.content(TARGET).unwrap(), OLD);
                assert!(fs.content(CHECKPOINT).is_none() && fs.content(&part).is_none(), "of no use");
            }
        }
    }
}

#[test]
fn b57_a_download_that_nothing_would_tell_to_be_right_keeps_neither_file_nor_checkpoint() {
    let object = Object { has_crc: false, ..Object::new(120) };
    let mut fs = SimFs::new(3);
    fs.plant(TARGET, OLD);
    let mut driver = Driver::new(&mut fs, &object, Manner { lanes: 1, ..Manner::new(30, 2, 10) });
    driver.cancel_at = Some(2);
    assert!(driver.run().done().unwrap_err().is_cancelled());
    assert_eq!(fs.names().collect::<Vec<_>>(), [TARGET]);
}

#[test]
fn b62_a_second_one_at_the_same_checkpoint_is_told_busy() {
    let object = Object::new(10);
    let mut fs = SimFs::new(1);
    fs.lock(CHECKPOINT).unwrap();
    let error = Driver::new(&mut fs, &object, Manner::new(10, 1, 10)).run().done().unwrap_err();
    assert!(matches!(error.kind(), TransferErrorKind::Busy), "{error}");
    assert!(fs.is_locked() && fs.names().count() == 0, "what the other one has stays as it is");
}

#[test]
fn f34_an_object_that_is_replaced_leaves_the_old_file_and_nothing_else() {
    let (object, other) = (Object::new(300), Object::other(300));
    for from in 0..12 {
        for has_checkpoint in [true, false] {
            let manner = Manner { has_checkpoint, seed: u64::from(from), ..Manner::new(30, 3, 10) };
            let mut fs = SimFs::new(1);
            fs.plant(TARGET, OLD);
            let mut driver = Driver::new(&mut fs, &object, manner);
            driver.then = Some((from, other.clone()));
            match driver.run().done() {
                Err(error) => {
                    assert!(error.is_object_changed(), "{error}");
                    assert_eq!(fs.content(TARGET).unwrap(), OLD);
                    assert_eq!(fs.names().collect::<Vec<_>>(), [TARGET]);
                }
                Ok(_) => assert_eq!((from >= 10, fs.content(TARGET).unwrap()), (true, &object.bytes[..])),
            }
        }
    }
}

#[test]
fn f35_an_object_that_was_replaced_between_two_downloads_is_downloaded_afresh_even_when_it_is_shorter() {
    let (object, manner) = (Object::new(240), Manner::new(30, 2, 10));
    for len in [240, 100, 1, 0, 500] {
        let mut fs = cancelled(&object, manner);
        let other = Object::other(len);
        let saved = Driver::new(&mut fs, &other, Manner { seed: 70, ..manner }).run().done().unwrap();
        assert!(matches!(saved.fresh, Some(Fresh::Differs { .. })), "{:?}", saved.fresh);
        assert_eq!(fs.content(TARGET).unwrap(), other.bytes);
        assert_eq!(fs.names().collect::<Vec<_>>(), [TARGET]);
    }
}

#[test]
fn a_download_that_cannot_begin_leaves_what_an_earlier_one_kept() {
    let (object, manner) = (Object::new(240), Manner::new(30, 2, 10));
    let mut fs = cancelled(&object, manner);
    let before: Vec<_> =
        fs.names().map(|name| (name.to_owned(), fs.content(name).unwrap().to_vec())).collect();
    let mut driver = Driver::new(&mut fs, &object, manner);
    driver.cancel_at = Some(0);
    assert!(driver.run().done().unwrap_err().is_cancelled());
    let after: Vec<_> =
        fs.names().map(|name| (name.to_owned(), fs.content(name).unwrap().to_vec())).collect();
    assert_eq!(before, after);
}

#[test]
fn what_was_downloaded_before_the_process_died_is_not_downloaded_again() {
    let (object, manner) = (Object::new(2000), Manner::new(100, 3, 20));
    let mut fs = broken_off(&object, manner, 90);
    let mut driver = Driver::new(&mut fs, &object, Manner { seed: 5, ..manner });
    let mut kept = 0;
    loop {
        match driver.save.poll() {
            SaveStep::Run(ticket, work) => {
                driver.flying.push(Flying { ticket, work, done: 0, ends_at: None })
            }
            SaveStep::Disk(work) => driver.disk = Some(work),
            SaveStep::Busy => driver.advance().unwrap(),
            SaveStep::Done(result) => break drop(result.unwrap()),
        }
        kept = driver.save.progress().bytes_kept;
    }
    assert!(kept > 0 && kept % 100 == 0, "{kept}");
    assert_eq!(fs.content(TARGET).unwrap(), object.bytes);
}

#[test]
fn f76_a_thousand_parts_move_through_a_window_of_eight() {
    let object = Object::new(1000);
    let mut fs = SimFs::new(1);
    let mut driver = Driver::new(&mut fs, &object, Manner::new(1, 8, 1));
    let mut widest = 0;
    loop {
        match driver.save.poll() {
            SaveStep::Run(ticket, work) => {
                driver.flying.push(Flying { ticket, work, done: 0, ends_at: None })
            }
            SaveStep::Disk(work) => driver.disk = Some(work),
            SaveStep::Busy => driver.advance().unwrap(),
            SaveStep::Done(result) => break drop(result.unwrap()),
        }
        widest = widest.max(driver.flying.len());
    }
    assert_eq!(widest, 8);
    assert_eq!(fs.content(TARGET).unwrap(), object.bytes);
}
