package Cardfeed::Reader;

# A client that reads feeds over and over, in a process of its own, over one
# connection after the other, and looks at every answer: whether it is whole
# and well-formed, whether each card is a version as it was written, whether
# an ETag stands for the same bytes always and a 304 is one that was asked for.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Exporter 'import';
use IO::Select;
use IO::Socket::INET;
use IO::Uncompress::Gunzip ();
use JSON::PP ();
use POSIX ();
use Test::More;

use Cardfeed::Feed;
use Cardfeed::Test;
use Cardfeed::Text;

our @EXPORT = qw(readers_satisfied);

my $JSON = JSON::PP->new->utf8->canonical;
my @FORMATS = qw(rss atom json rss atom html);
my $PAUSE = 0.004; # between requests: there is something else to do, too

# start($t, seed): a process that reads until it is stopped.  unready => 1:
# an index that is no longer trusted may be built anew meanwhile.
sub start {
    my ($class, $t, $seed, %opt) = @_;

    my $self = bless {port => $t->port, owner => $$, %opt}, $class;
    pipe my $told, $self->{tell} or die $!;
    pipe $self->{said}, my $say or die $!;
    defined($self->{pid} = fork) or die $!;
    return $self if $self->{pid};

    close $self->{tell};
    close $self->{said};
    srand $seed;
    $self->{report} = {requests => 0, entries => 0, answers => {},
        failed => 0, wrong => [], seen => {}, etags => {}};
    my $ready = IO::Select->new($told);
    while (!$ready->can_read($PAUSE)) {
        eval { $self->_read_one; 1 } or $self->_wrong("$@");
    }
    print {$say} $JSON->encode($self->{report});
    close $say;
    POSIX::_exit(0);
}

# Ends it: its report.
sub stop {
    my ($self) = @_;

    # Said, not closed: other children of the test have that end as well.
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{tell}, '.';
    local $/;
    my $report = readline $self->{said};
    waitpid $self->{pid}, 0;
    delete $self->{pid};
    return $JSON->decode($report // '{}');
}

# Ends all of them, and tests what they say; at most so many requests of each
# may have got no answer.
sub readers_satisfied {
    my ($model, $failures, @readers) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my (@wrong, %digest, %seen, %answers, $entries);
    for my $report (map { $_->stop } @readers) {
        if (!$report->{requests}) {
            push @wrong, 'a reader without an answer';
            next;
        }
        push @wrong, @{$report->{wrong}};
        push @wrong, @{$report->{failures}} if $report->{failed} > $failures;
        my $etags = $report->{etags};
        push @wrong, map { "$_ of two bodies" }
            grep { ($digest{$_} //= $etags->{$_}) ne $etags->{$_} }
            sort keys %$etags;
        $seen{$_} = 1 for keys %{$report->{seen}};
        $answers{$_} += $report->{answers}{$_} for keys %{$report->{answers}};
        $entries += $report->{entries};
    }
    push @wrong, map { "number $_ was never to be in a feed" }
        grep { ($model->text($_) // {kind => ''})->{kind} ne 'card' }
        sort { $a <=> $b } keys %seen;
    note scalar @readers, ' readers: ', join(', ', map { "$answers{$_} × $_" }
        sort keys %answers), ", $entries entries, ", scalar keys %seen,
        ' versions';
    return ok(!@wrong, 'readers are satisfied')
        || diag join "\n", grep { defined } @wrong[0 .. 20];
}

sub DESTROY {
    my ($self) = @_;

    local ($?, $!, $@);
    return if !$self->{pid} || $self->{owner} != $$;
    kill 'KILL', $self->{pid};
    waitpid $self->{pid}, 0;
}

sub _wrong {
    my ($self, $what) = @_;
    push @{$self->{report}{wrong}}, "$self->{uri}: $what"
        if @{$self->{report}{wrong}} < 20;
    return;
}

# --- requests ----------------------------------------------------------------

# One answer, or undef where the connection ends before its first byte.
sub _answer {
    my ($self, $request) = @_;

    my $socket = $self->{socket};
    local $SIG{PIPE} = 'IGNORE';
    my $select = IO::Select->new($socket);
    my $all = '';
    defined $socket->syswrite($request) or return;
    while ($all !~ /\r\n\r\n/) {
        $select->can_read(20) or die "no answer within 20 s\n";
        $socket->sysread($all, 65_536, length $all)
            or return length $all ? die("cut off in its head\n") : undef;
    }
    my ($head) = $all =~ /^(.*?)\r\n\r\n/s;
    my ($length) = $head =~ /^Content-Length: (\d+)\r?$/mi;
    $length = 0 if $head =~ m{^HTTP/1\.1 304};
    defined $length or die "no length: $head\n";
    my $want = length($head) + 4 + $length;
    while (length $all < $want) {
        $select->can_read(20) or die "no more within 20 s\n";
        $socket->sysread($all, 65_536, length $all)
            or die "cut off in its body\n";
    }
    length $all == $want or die "more than was asked for\n";
    delete $self->{socket} if $head =~ /^Connection: close\r?$/mi;
    return Cardfeed::Response->new($all);
}

# Over the connection that there is; another one where that was closed while
# nothing was asked, as a server may do.
sub _request {
    my ($self, $request) = @_;

    my $fresh = !$self->{socket};
    $self->{socket} //= IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $self->{port}, Proto => 'tcp', Timeout => 20)
        or die "no connection: $@\n";
    my $res = eval { $self->_answer($request) };
    return $res if $res;
    my $why = $@ || "closed without an answer\n";
    delete $self->{socket};
    return $self->_request($request) if !$@ && !$fresh;
    $self->{report}{failed}++;
    push @{$self->{report}{failures}}, "$self->{uri}: $why"
        if $self->{report}{failed} < 20;
    return;
}

sub _read_one {
    my ($self) = @_;

    my @slugs = ('all', 'all', map { utf8::encode($_);
        s/([^\w-])/sprintf '%%%02X', ord $1/ger } topic_slugs());
    my $format = $FORMATS[rand @FORMATS];
    my $uri = $self->{uri} = '/feeds/' . $slugs[rand @slugs] . ".$format"
        . ('', '?limit=7', '?limit=20')[rand 3];
    $uri = $self->{uri} = ('/feeds/', '/feeds/all.opml')[rand 2]
        if rand() < 0.05;

    my $etag = $self->{last}{$uri};
    my $asked = defined $etag && rand() < 0.7;
    my $res = $self->_request("GET $uri HTTP/1.1\r\nHost: localhost\r\n"
        . ($asked ? "If-None-Match: $etag\r\n" : '')
        . (rand() < 0.3 ? "Accept-Encoding: gzip\r\n" : '')
        . (rand() < 0.1 ? "Connection: close\r\n" : '') . "\r\n") // return;
    my $report = $self->{report};
    $report->{requests}++;
    $report->{answers}{$res->status}++;
    return $self->_not_modified($res, $asked ? $etag : undef)
        if $res->status == 304;
    return if $res->status == 503 && $self->{unready}
        && $res->header('Retry-After');
    # A topic that has not come yet.
    return if $res->status == 404 && $uri !~ m{/all\.};
    return $self->_wrong($res->status) if $res->status != 200;
    $self->_look($res, $format);
    return;
}

# --- answers -----------------------------------------------------------------

sub _not_modified {
    my ($self, $res, $etag) = @_;

    $self->_wrong('a 304 that nobody asked for') if !defined $etag;
    $self->_wrong('a 304 for another ETag')
        if defined $etag && ($res->header('ETag') // '') ne $etag;
    return;
}

sub _look {
    my ($self, $res, $format) = @_;

    my $body = $res->body;
    if (($res->header('Content-Encoding') // '') eq 'gzip') {
        my $plain;
        IO::Uncompress::Gunzip::gunzip(\$body, \$plain)
            or return $self->_wrong('no gzip');
        $body = $plain;
    }
    my $etag = $res->header('ETag') // return $self->_wrong('no ETag');
    my $digest = md5_hex($body);
    my $known = $self->{report}{etags}{"$self->{uri} $etag"} //= $digest;
    $self->_wrong('an ETag of two bodies') if $known ne $digest;
    $self->{last}{$self->{uri}} = $etag;
    return $self->_entries($format, $body)
        if $format =~ /^(?:rss|atom|json)$/ && $self->{uri} =~ /\.$format\b/;
    XML::LibXML->new(no_network => 1)->parse_string($body);
    return;
}

my %ENTRIES = (
    rss => sub { map { +{%$_, date => $_->{pubDate}, id => $_->{guid},
        tags => $_->{categories}, summary => $_->{description}}
        } @{rss($_[0])->{items}} },
    atom => sub { map { +{%$_, date => $_->{published},
        tags => $_->{labels}} } @{atom($_[0])->{entries}} },
    json => sub { map { +{%$_, date => $_->{date_published}}
        } @{json($_[0])->{items}} },
);

sub _entries {
    my ($self, $format, $body) = @_;

    my ($before, %id);
    for my $entry ($ENTRIES{$format}->($body)) {
        my $date = $format eq 'rss' ? rfc3339(http_date($entry->{date}))
            : $entry->{date};
        $self->_wrong("twice: $entry->{id}") if $id{$entry->{id}}++;
        $self->_wrong("order: $before, $date")
            if defined $before && $date gt $before;
        $before = $date;
        my ($n) = $entry->{title} =~ /^n(\d+)/
            or return $self->_wrong("a title: $entry->{title}");
        my ($seal) = ($entry->{summary} // '') =~ /^([0-9a-f]{12})\./;
        $self->_wrong("no version that was written: $n")
            if ($seal // '') ne seal($entry->{title}, $date,
                @{$entry->{tags} // []});
        $self->{report}{seen}{$n} = 1;
        $self->{report}{entries}++;
    }
    return;
}

1;
