#!/bin/sh
# Runs fuzzers, one after another.
#
# usage: fuzz.sh SECONDS FUZZER...
#
# A fuzzer build/fuzz/fuzz_NAME begins with t/fuzz/seeds/NAME and what earlier
# runs have kept in build/fuzz/corpus/NAME; words come from t/fuzz/NAME.dict.
# An input that breaks something is left in build/fuzz/found and the exit
# status is 1.

set -u

seconds=$1
shift
failed=0

for fuzzer in "$@"; do
    name=${fuzzer##*/fuzz_}
    corpus=build/fuzz/corpus/$name
    log=build/fuzz/$name.log
    dict=
    mkdir -p "$corpus" build/fuzz/found
    if [ -f "t/fuzz/$name.dict" ]; then
        dict=-dict=t/fuzz/$name.dict
    fi

    if "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="build/fuzz/found/$name-" $dict \
        "$corpus" "t/fuzz/seeds/$name" > "$log" 2>&1
    then
        echo "$name: $(grep '^Done' "$log")"
    else
        failed=1
        echo "$name: failed; see $log" >&2
        grep -E 'not kept|ERROR|SUMMARY|runtime error|Test unit' "$log" >&2
    fi
done

exit $failed
