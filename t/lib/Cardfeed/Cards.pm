package Cardfeed::Cards;

# What cards say, as t/lib/cards.py reads them, and what feeds say of them, in
# one shape: a list of {title, link, published, updated, excerpt}.

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename qw(dirname);
use JSON::PP ();

use XML::LibXML;

use Cardfeed::Feed;
use Cardfeed::Test;

our @EXPORT = qw(read_cards said said_by_reader ranked html_topics);

my $T = Cwd::abs_path(dirname(__FILE__) . '/../..');
my $JSON = JSON::PP->new->canonical;
my %CHAR = (amp => '&', lt => '<', gt => '>', quot => '"', '#39' => "'");

# {slug => {name, entries}} of a directory; "all" has no name.
sub read_cards {
    my ($dir, $site) = @_;

    open my $out, '-|', '/usr/bin/python3', "$T/lib/cards.py", $dir, $site
        or die $!;
    local $/;
    my $cards = JSON::PP->new->utf8->decode(<$out> || '{}');
    close $out or die "cards.py: status $?\n";
    return $cards;
}

# HTML without markup as text.
sub _text { return ($_[0] // '') =~ s/&(amp|lt|gt|quot|#39);/$CHAR{$1}/gr }

sub _rss_date {
    my $time = http_date($_[0]);
    return defined $time ? rfc3339($time) : "no date: $_[0]";
}

# Pages for people are well-formed XML as well.
sub _html { XML::LibXML->new(no_network => 1)->parse_string($_[0]) }

sub _html_entry {
    my ($article) = @_;

    my %path = (title => 'h2', link => 'h2/a/@href',
        published => 'p/time/@datetime', excerpt => 'p[@dir="auto"]');
    my %entry = map { $_ => $article->findvalue($path{$_}) } keys %path;
    return \%entry;
}

my %SAID = (
    rss => sub { map { +{
        title => $_->{title}, link => $_->{link}, updated => $_->{updated},
        published => _rss_date($_->{pubDate}),
        excerpt => _text($_->{description}),
    } } @{rss($_[0])->{items}} },
    atom => sub { map { +{
        title => $_->{title}, link => $_->{links}{alternate},
        updated => $_->{updated}, published => $_->{published},
        excerpt => $_->{summary} // '',
    } } @{atom($_[0])->{entries}} },
    json => sub { map { +{
        title => $_->{title}, link => $_->{url},
        updated => $_->{date_modified}, published => $_->{date_published},
        excerpt => $_->{summary} // '',
    } } @{json($_[0])->{items}} },
    # People are not told when a card was changed.
    html => sub { map { _html_entry($_) }
        _html($_[0])->findnodes('/html/body/main/article') },
);

# What a feed says; dies where its parser cannot read it.
sub said {
    my ($format, $body) = @_;
    return [$SAID{$format}->($body)];
}

# The same of one of read_feeds().
sub said_by_reader {
    my ($format, $read) = @_;

    my $time = sub { my @t = @{$_[0]}; @t ? sprintf
        '%04d-%02d-%02dT%02d:%02d:%02dZ', @t[0 .. 5] : undef };
    return [map { +{
        title => $_->{title}, link => $_->{link},
        updated => $time->($_->{updated}),
        published => $time->($_->{published}),
        excerpt => $format eq 'rss'
            ? _text($_->{summary}) : $_->{summary} // '',
    } } @{$read->{entries}}];
}

# The entries as they come, but those in a row of the same time in an order
# that can be compared; without the fields named.
sub ranked {
    my ($entries, @without) = @_;

    my (@all, @row);
    my $flush = sub {
        push @all, map { $_->[1] } sort { $a->[0] cmp $b->[0] }
            map { [$JSON->encode($_), $_] } splice @row;
    };
    for my $entry (map { +{%$_} } @$entries) {
        delete @$entry{@without};
        $flush->() if @row && $row[0]{published} ne $entry->{published};
        push @row, $entry;
    }
    $flush->();
    return \@all;
}

# The topics of the catalogue for people: [{name, url, count}, …].
sub html_topics {
    my ($body) = @_;

    return [map { +{
        name => $_->findvalue('a[@class="name"]'),
        url => $_->findvalue('a[@class="name"]/@href'),
        count => $_->findvalue('span[@class="dim"]'),
    } } _html($body)->findnodes('//ul[@class="topics"]/li')];
}

1;
