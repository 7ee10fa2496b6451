package Cardfeed::Shown;

# What the feeds of a running server show, compared with a model, exactly.

use strict;
use warnings;

use Encode qw(encode_utf8);
use Exporter 'import';
use Test::More;
use Time::HiRes qw(sleep time);

use Cardfeed::Feed;
use Cardfeed::Test;
use Cardfeed::Text;

our @EXPORT = qw(settle settled indexer_pid);

my $BOUND = 30; # seconds until the feeds have to be right
my $PAGE = 100;

# --- the server is quiet -----------------------------------------------------

# The process that indexes, once it has looked at everything.  A process that
# ends may say its last after the next one has begun.
sub indexer_pid {
    my ($t) = @_;

    my %last;
    for my $line ($t->log_lines(
        qr/this process indexes|is (?:ready|reconciled):/))
    {
        $last{$1} = $line if $line =~ / (\d+)#/;
    }
    my ($pid) = grep { $last{$_} !~ /this process indexes/ && $t->alive($_)
        && slurp("/proc/$_/cmdline") !~ /is shutting down/ } keys %last;
    return $pid;
}

# A card that comes after all that was done before, twice: what was under way
# when the first was seen is done when the second is.
sub _barrier {
    my ($storm) = @_;

    my ($t, $model) = @$storm{qw(t model)};
    for (1 .. 2) {
        my $n = @{$model->{text}};
        my ($bytes, %text) = make_text($n, 'card');
        $t->file('barrier.md', $bytes);
        $model->add_text(%text);
        $model->place('barrier.md', n => $n);
        my $seen = sub {
            my @own = grep { $_->[1] == $n } _pairs($t);
            return scalar @own;
        };
        wait_for($seen, 'a card after all others', $BOUND) or return;
    }
    return 1;
}

# [[id, number], …] of all cards, newest first; without a JSON parser.
sub _pairs {
    my ($t) = @_;

    my $body = $t->get('/feeds/all.json?limit=1000')->body;
    return map { /^\{"id":"([^"]+)".*?"title":"n(\d+)[ "]/ ? [$1, $2]
        : /^\{"id"/ ? [$_, 0] : () } split /\n/, $body;
}

# --- exactly -----------------------------------------------------------------

# All items, page by page; what is wrong with the pages.
sub _all_items {
    my ($t, $wrong) = @_;

    my (@items, %seen);
    my $uri = "/feeds/all.json?limit=$PAGE";
    while (defined $uri && !$seen{$uri}++) {
        my $res = $t->get($uri);
        if ($res->status != 200) {
            push @$wrong, "$uri: " . $res->status;
            last;
        }
        my $feed = json($res->body);
        push @items, @{$feed->{items}};
        push @$wrong, "$uri: " . @{$feed->{items}} . ' items and a next page'
            if $feed->{next_url} && @{$feed->{items}} != $PAGE;
        $uri = $feed->{next_url} && $feed->{next_url} =~ s{^\w+://[^/]+}{}r;
    }
    return @items;
}

sub _same {
    my ($wrong, $what, $is, $want) = @_;
    push @$wrong, "$what: is \"$is\", not \"$want\"" if $is ne $want;
    return;
}

sub _check_item {
    my ($wrong, $item, $text) = @_;

    my $what = "$item->{id} $text->{n}";
    _same($wrong, "$what: title", $item->{title}, $text->{title});
    _same($wrong, "$what: date", $item->{date_published}, $text->{date});
    _same($wrong, "$what: topics", join('|', @{$item->{tags} // []}),
        join '|', @{$text->{tags}});
    _same($wrong, "$what: excerpt", $item->{summary}, $text->{excerpt});
    _same($wrong, "$what: link", $item->{url}, $text->{url})
        if defined $text->{url};
    return;
}

my %ITEMS = (
    rss => sub { map { "$_->{guid} $_->{title}" } @{rss($_[0])->{items}} },
    atom => sub { map { "$_->{id} $_->{title}" } @{atom($_[0])->{entries}} },
);

sub _check_topics {
    my ($storm, $wrong, $items) = @_;

    my ($t, $model) = @$storm{qw(t model)};
    my %in = map { $_ => [] } topic_slugs();
    for my $item (@$items) {
        push @{$in{$_}}, "$item->{id} $item->{title}"
            for map { slug_of($_) } @{$item->{tags} // []};
    }
    for my $slug (sort keys %in) {
        for my $format (sort keys %ITEMS) {
            my $uri = '/feeds/' . encode_utf8($slug)
                =~ s/([^\w-])/sprintf '%%%02X', ord $1/ger
                . ".$format";
            my $res = $t->get("$uri?limit=1000");
            next if $res->status == 404 && !@{$in{$slug}}
                && !$model->{named}{$slug};
            if ($res->status != 200) {
                push @$wrong, "$uri: " . $res->status;
                next;
            }
            my @is = $ITEMS{$format}->($res->body);
            _same($wrong, $uri, join("\n", @is), join "\n", @{$in{$slug}});
        }
    }
    for my $slug (secret_slug(), 'unknown') {
        my $status = $t->get("/feeds/$slug.rss")->status;
        push @$wrong, "$slug: $status" if $status != 404;
    }
    return;
}

# Everything the feeds say, once all cards of the model are shown.
sub _differences {
    my ($storm) = @_;

    my ($t, $model) = @$storm{qw(t model)};
    my @wrong = $model->differences([_pairs($t)]);
    return @wrong if @wrong;

    my @items = _all_items($t, \@wrong);
    my @pairs = map { [$_->{id}, $_->{title} =~ /^n(\d+)/ ? $1 : 0] } @items;
    push @wrong, $model->differences(\@pairs);
    return @wrong if @wrong;

    my $before;
    for my $i (0 .. $#items) {
        my $date = $items[$i]{date_published};
        push @wrong, "order: $before, then $date"
            if defined $before && $date gt $before;
        $before = $date;
        _check_item(\@wrong, $items[$i], $model->text($pairs[$i][1]));
    }
    _check_topics($storm, \@wrong, \@items);
    return @wrong;
}

# Waits until the feeds are what the model says; fails as a test where they do
# not become it.  What they show of rejected files is what the model takes for
# their last good version then.
sub settled {
    my ($storm, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $end = time + $BOUND;
    my $t = $storm->{t};
    wait_for(sub { indexer_pid($t) }, 'somebody indexes', $BOUND) or return;
    _barrier($storm) or return;

    while (1) {
        # A new index has no last good versions of what is not good now.
        $storm->model->rebuilt if $t->log_lines(
            qr/is built anew|is no longer trusted/, $storm->{mark});
        my @wrong = _differences($storm);
        last if !@wrong;
        if (time > $end) {
            fail $what;
            diag "STORM_SEED=$storm->{seed}: ", scalar @wrong, ' differences';
            diag map { encode_utf8("  $_\n") } grep { defined }
                @wrong[0 .. 20];
            return;
        }
        sleep 0.05;
    }
    $storm->model->settle;
    $storm->{mark} = $t->mark;
    return 1;
}

# The same as a test.
sub settle {
    my ($storm, $what) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $start = time;
    settled($storm, $what) or return;
    return pass sprintf '%s: %d files, after %.2f s', $what,
        scalar $storm->model->files, time - $start;
}

1;
