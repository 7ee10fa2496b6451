package Cardfeed::Usage;

# What the processes of a running server take: sampled, kept, compared.
#
#   memory   anonymous memory in KiB: the index, which is a map of its file,
#            is not in it; that of all workers, and that of the master
#   fds, threads, watches   of all workers
#   index    what the index takes on the disk, in KiB

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use Cardfeed::Test;

# What is flat: the median of the last quarter of the samples is at most that
# of the second one, times and plus so much.  The first quarter is that in
# which caches fill and the allocator finds its size.  Memory is in steps of
# what the allocator asks for; connections that are open differ by some.
my %FLAT = (
    workers => [1.10, 1024],
    master => [1.00, 64],
    fds => [1.00, 4],
    threads => [1.00, 2],
    index => [1.20, 1024],
);
my @COLUMNS = qw(workers master fds threads watches index);

sub new {
    my ($class, $t) = @_;
    return bless {t => $t, began => time, samples => [], at => -10}, $class;
}

sub _anonymous {
    my ($pid) = @_;
    my ($kib) = slurp("/proc/$pid/smaps_rollup")
        =~ /^Anonymous:\s+(\d+) kB$/m;
    return $kib // 0;
}

sub _blocks {
    my ($dir) = @_;

    my $sum = 0;
    for my $path (glob "\Q$dir\E/*") {
        $sum += -d $path ? _blocks($path) : ((stat $path)[12] // 0) / 2;
    }
    return $sum;
}

sub _watches {
    my ($pid) = @_;

    my $sum = 0;
    for my $fd (glob "/proc/$pid/fdinfo/*") {
        $sum += () = slurp($fd) =~ /^inotify wd:/mg;
    }
    return $sum;
}

# A sample, shown at times; what: of which part it is.
sub sample {
    my ($self, $what) = @_;

    my $t = $self->{t};
    my %s = (what => $what, at => time - $self->{began},
        master => _anonymous($t->pid), workers => 0, fds => 0, threads => 0,
        watches => 0, index => int _blocks($t->dir . '/index'));
    for my $pid ($t->workers) {
        $s{workers} += _anonymous($pid);
        $s{fds} += () = glob "/proc/$pid/fd/*";
        $s{threads} += () = glob "/proc/$pid/task/*";
        $s{watches} += _watches($pid);
    }
    note sprintf '%8s %-12s' . ' %9s' x @COLUMNS, 's', '', @COLUMNS
        if !@{$self->{samples}};
    if ($s{at} > $self->{at} + 10) {
        note sprintf '%8.0f %-12s' . ' %9d' x @COLUMNS, @s{qw(at what)},
            @s{@COLUMNS};
        $self->{at} = $s{at};
    }
    push @{$self->{samples}}, \%s;
    return \%s;
}

sub _median { my @all = sort { $a <=> $b } @_; return $all[@all / 2] }

# A test for everything that has to be flat in a part.
sub is_flat {
    my ($self, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @all = grep { $_->{what} eq $what } @{$self->{samples}};
    my $quarter = int @all / 4;
    return fail "$what: enough samples" if $quarter < 2;
    for my $of (sort keys %FLAT) {
        my ($times, $plus) = @{$FLAT{$of}};
        my $before = _median(map { $_->{$of} }
            @all[$quarter .. 2 * $quarter - 1]);
        my $after = _median(map { $_->{$of} } @all[-$quarter .. -1]);
        cmp_ok $after, '<=', $before * $times + $plus,
            "$what: $of is flat: $before, then $after";
    }
    return;
}

1;
