package Cardfeed::Seen;

# What a reader that asks again and again gets to see while something happens.

use strict;
use warnings;

use Exporter 'import';
use IO::Select;
use POSIX ();
use Time::HiRes qw(sleep);

our @EXPORT = qw(seen_while);

# A process asks for a URI every millisecond while do() runs here; the states
# it saw, in order, one for every change.  state(response) is one line.
sub seen_while {
    my ($t, $uri, $state, $do) = @_;

    pipe my $out, my $in or die $!;
    pipe my $end, my $going or die $!;
    defined(my $pid = fork) or die $!;
    if (!$pid) {
        close $_ for $out, $going;
        $in->autoflush(1);
        my $last = '';
        my $select = IO::Select->new($end);
        my $over;
        do {
            # once more after the end: what was so at last is seen
            $over = $select->can_read(0);
            my $now = $state->($t->get($uri));
            syswrite $in, "$now\n" if $now ne $last;
            $last = $now;
            sleep 0.001;
        } until $over;
        POSIX::_exit(0);
    }
    close $_ for $in, $end;

    my @seen = scalar <$out>; # it is at work
    $do->();
    close $going;
    push @seen, <$out>;
    waitpid $pid, 0;
    chomp @seen;
    return @seen;
}

1;
