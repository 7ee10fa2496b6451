package Cardfeed::Handover;

# Which process indexes, looked at from outside: who holds the lock on
# NAME/indexer.lock, as the kernel tells, and which processes have an
# indexer's thread, by its name.
#
# A watcher looks all the time in a process of its own; what it has seen is
# told by seen(): the most holders at any one time, and all there were, in
# order.  A writer saves cards without end.

use strict;
use warnings;

use Exporter 'import';
use Fcntl qw(:flock);
use File::Temp ();
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

use Cardfeed::Test;

our @EXPORT = qw(holders indexing wait_one_indexer watch_indexers
    write_cards told_indexers settle reconciled);

# Files get old enough for their signatures to be trusted: a restart has no
# reason to read them again.
sub settle {
    my ($t) = @_;

    my ($newest) = sort { $b <=> $a } map { (stat $_)[10] }
        glob $t->content . '/{*,*/*}';
    wait_for(sub { time - $newest > 3.1 }, 'the files are old enough', 15);
}

# Waits for the end of a reconciliation: files parsed, files there.
sub reconciled {
    my ($t, $what, $mark, $name) = @_;

    $name //= 'news';
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $line = $t->wait_log(qr/"\Q$name\E" is reconciled/, $what, $mark) // '';
    my ($parsed, $files) = $line =~ /parsed (\d+) of (\d+) files/;
    return ($parsed // -1, $files // -1);
}

my $INODES = _inodes();

# Process ids that hold the lock of a collection's election.
sub holders {
    my ($t, $name) = @_;

    my $path = $t->dir . '/index/' . ($name // 'news') . '/indexer.lock';
    my $inode = (stat $path)[1] // return;
    return _holders_by_inode($inode) if $INODES;

    my @pids;
    for my $pid (sort { $a <=> $b } $t->_with_log) {
        push @pids, $pid if grep {
            (readlink $_ // '') eq $path
                && slurp(s{/fd/}{/fdinfo/}r) =~ /^lock:.* FLOCK .* WRITE /m
        } glob "/proc/$pid/fd/*";
    }
    return @pids;
}

sub _holders_by_inode {
    my ($inode) = @_;
    return slurp('/proc/locks')
        =~ /^\d+: FLOCK +ADVISORY +WRITE (\d+) \S+:$inode /mg;
}

# Whether the kernel's list and stat() mean the same by an inode: they need
# not on a file system that is laid over others.
sub _inodes {
    my $file = File::Temp->new(TMPDIR => 1);
    flock $file, LOCK_EX or die $!;
    return scalar grep { $_ == $$ } _holders_by_inode((stat $file)[1]);
}

# Process ids with an indexer's thread, one that waits its turn included.
sub indexing {
    my ($t, $name) = @_;

    my $thread = substr 'cardfeed:' . ($name // 'news'), 0, 15;
    my @pids;
    for my $pid (sort { $a <=> $b } $t->_with_log) {
        push @pids, $pid if grep { slurp($_) eq "$thread\n" }
            glob "/proc/$pid/task/*/comm";
    }
    return @pids;
}

# Until one process indexes, has said so, and no other has a thread for it; its
# id.
sub wait_one_indexer {
    my ($t, $what, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $one = wait_for(sub {
        my @holders = holders($t, $name);
        my @threads = indexing($t, $name);
        my ($told) = reverse told_indexers($t, 0, $name);
        return @holders == 1 && @threads == 1 && $holders[0] == $threads[0]
            && $holders[0] == ($told // 0) && $holders[0];
    }, $what);
    pass $what if $one;
    return $one // 0;
}

# The processes that said in the log that they index, in order.
sub told_indexers {
    my ($t, $mark, $name) = @_;

    $name //= 'news';
    return map { /"\Q$name\E": this process indexes \(pid (\d+)\)/ ? $1 : () }
        split /\n/, $t->log($mark);
}

# A child that calls a function until it is told to stop; what is returned
# stops it and gives what the function has printed.
sub _child {
    my ($function) = @_;

    pipe my $told, my $tell or die $!;
    pipe my $out, my $in or die $!;
    defined(my $pid = fork) or die $!;
    if (!$pid) {
        close $tell;
        close $out;
        my $stop = sub {
            my $bits = '';
            vec($bits, fileno $told, 1) = 1;
            return select($bits, undef, undef, $_[0]) != 0;
        };
        my $text = $function->($stop);
        syswrite $in, $text;
        POSIX::_exit(0);
    }
    close $told;
    close $in;
    return sub {
        close $tell;
        local $/;
        my $text = <$out> // '';
        waitpid $pid, 0;
        return $text;
    };
}

# Until the returned function is called, which then gives the most holders at
# one time and a list of all of them, in order.
sub watch_indexers {
    my ($t, $name) = @_;

    my $stop = _child(sub {
        my ($stop) = @_;

        my ($most, $last, @all) = (0, '');
        until ($stop->(0.002)) {
            my @now = holders($t, $name);
            $most = @now if @now > $most;
            next if !@now || "@now" eq $last;
            $last = "@now";
            push @all, @now;
        }
        return join ' ', $most, @all;
    });
    return sub { split / /, $stop->() };
}

# Saves card after card, of $files files in turn, each with a number that
# grows; what is returned stops that and gives the number of each file last
# saved, by path.
sub write_cards {
    my ($t, $files, $topic) = @_;

    my $stop = _child(sub {
        my ($stop) = @_;

        my ($n, %last) = (0);
        until ($n >= $files && $stop->(0.003)) {
            my $i = $n++ % $files;
            my $path = sprintf 'hot/%03d.md', $i;
            $t->card($path, {title => "hot$n", topics => [$topic],
                date => rfc3339(1_700_000_000 + $i),
                webUrl => "https://example.org/$path"});
            $last{$path} = $n;
        }
        return join ' ', %last;
    });
    return sub { my %last = split / /, $stop->(); return \%last };
}

1;
