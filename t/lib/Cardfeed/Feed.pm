package Cardfeed::Feed;

# Feeds as strict parsers, schemas and a widely used reader see them.

use strict;
use warnings;

use Cwd ();
use Encode ();
use Exporter 'import';
use File::Basename qw(basename dirname);
use File::Temp ();
use JSON::PP ();
use POSIX ();
use Test::More;

use XML::LibXML;
use XML::LibXML::XPathContext;

our @EXPORT = qw(rss atom json opml schemas_ok json_ok readers_ok
    read_feeds);

my $T = Cwd::abs_path(dirname(__FILE__) . '/../..');
my %NS = (
    a => 'http://www.w3.org/2005/Atom',
    dc => 'http://purl.org/dc/elements/1.1/',
    fh => 'http://purl.org/syndication/history/1.0',
    media => 'http://search.yahoo.com/mrss/',
);

sub _xpath {
    my ($body) = @_;

    my $doc = XML::LibXML->new(no_network => 1, expand_entities => 0)
        ->parse_string($body);
    my $x = XML::LibXML::XPathContext->new($doc);
    $x->registerNs($_, $NS{$_}) for keys %NS;
    return $x;
}

sub _all {
    my ($x, $path, $node) = @_;
    return map { $_->to_literal } $x->findnodes($path, $node);
}

sub _one { my ($first) = _all(@_); return $first }

sub _links {
    my ($x, $node) = @_;
    return +{ map { ($_->getAttribute('rel') // 'alternate')
            => $_->getAttribute('href') } $x->findnodes('a:link', $node) };
}

# Dies where the document is no well-formed RSS.
sub rss {
    my ($body) = @_;

    my $x = _xpath($body);
    my ($channel) = $x->findnodes('/rss[@version="2.0"]/channel')
        or die "no RSS channel\n";
    my @items = map {
        my $item = $_;
        +{
            (map { $_ => _one($x, $_, $item) }
                qw(title link guid description pubDate)),
            updated => _one($x, 'a:updated', $item),
            categories => [_all($x, 'category', $item)],
            creators => [_all($x, 'dc:creator', $item)],
            enclosures => [map { +{
                map { $_->name => $_->value } $_->attributes
            } } $x->findnodes('enclosure', $item)],
            images => [_all($x, './/media:content/@url', $item)],
        }
    } $x->findnodes('item', $channel);
    return {
        (map { $_ => _one($x, $_, $channel) }
            qw(title link description language lastBuildDate ttl generator)),
        links => _links($x, $channel),
        complete => scalar(() = $x->findnodes('fh:complete', $channel)),
        archive => scalar(() = $x->findnodes('fh:archive', $channel)),
        items => \@items,
    };
}

# Dies where the document is no well-formed Atom.
sub atom {
    my ($body) = @_;

    my $x = _xpath($body);
    my ($feed) = $x->findnodes('/a:feed') or die "no Atom feed\n";
    my @entries = map {
        my $entry = $_;
        +{
            (map { $_ => _one($x, "a:$_", $entry) }
                qw(id title summary published updated)),
            links => _links($x, $entry),
            authors => [_all($x, 'a:author/a:name', $entry)],
            terms => [_all($x, 'a:category/@term', $entry)],
            labels => [_all($x, 'a:category/@label', $entry)],
        }
    } $x->findnodes('a:entry', $feed);
    return {
        (map { $_ => _one($x, "a:$_", $feed) }
            qw(id title subtitle updated rights icon logo generator)),
        links => _links($x, $feed),
        complete => scalar(() = $x->findnodes('fh:complete', $feed)),
        archive => scalar(() = $x->findnodes('fh:archive', $feed)),
        entries => \@entries,
    };
}

# Dies where the document is no well-formed OPML.
sub opml {
    my ($body) = @_;

    my $x = _xpath($body);
    my ($head) = $x->findnodes('/opml[@version="2.0"]/head')
        or die "no OPML head\n";
    my @outlines = map { +{
        map { $_->name => $_->value } $_->attributes
    } } $x->findnodes('/opml/body/outline');
    my ($next) = grep { $_->{type} eq 'include' } @outlines;
    return {
        (map { $_ => _one($x, $_, $head) }
            qw(title dateModified ownerName docs)),
        outlines => \@outlines,
        feeds => [grep { $_->{type} eq 'rss' } @outlines],
        next => $next && $next->{url},
    };
}

# Dies where the document is no JSON in UTF-8.
sub json {
    my ($body) = @_;

    my $feed = JSON::PP->new->decode(
        Encode::decode('UTF-8', $body, Encode::FB_CROAK));
    return {
        %$feed,
        links => {
            alternate => $feed->{home_page_url}, self => $feed->{feed_url},
            next => $feed->{next_url}, hub => $feed->{hubs}[0]{url},
        },
    };
}

# What a value of JSON has to be; true or false.
my $ANY = JSON::PP->new->allow_nonref;
my %IS = (
    text => sub { !ref $_[0] && $ANY->encode($_[0]) =~ /^"/ },
    url => sub { $_[0] =~ m{^https?://[!-~]+$} },
    count => sub { !ref $_[0] && $ANY->encode($_[0]) =~ /^\d+$/ },
    boolean => sub { JSON::PP::is_bool($_[0]) },
    version => sub { $_[0] eq 'https://jsonfeed.org/version/1.1' },
    language => sub { $_[0] =~ /^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*$/ },
    media => sub { $_[0] =~ m{^[^/\s]+/[^/\s]+$} },
    date => sub { $_[0] =~ /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])
        T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:Z|[+-]\d\d:\d\d)$/x },
);

# The objects of JSON Feed 1.1: members and what they are ("!": there must be
# one; "[x]": a list of them).  Deprecated members are left out.
my %JSON = (
    feed => {
        version => '!version', title => '!text', items => '![item]',
        home_page_url => 'url', feed_url => 'url', next_url => 'url',
        icon => 'url', favicon => 'url', description => 'text',
        user_comment => 'text', authors => '[author]',
        language => 'language', expired => 'boolean', hubs => '[hub]',
    },
    author => { name => 'text', url => 'url', avatar => 'url' },
    hub => { type => '!text', url => '!url' },
    item => {
        id => '!text', url => 'url', external_url => 'url', title => 'text',
        content_html => 'text', content_text => 'text', summary => 'text',
        image => 'url', banner_image => 'url', date_published => 'date',
        date_modified => 'date', authors => '[author]', tags => '[text]',
        language => 'language', attachments => '[attachment]',
    },
    attachment => {
        url => '!url', mime_type => '!media', title => 'text',
        size_in_bytes => 'count', duration_in_seconds => 'count',
    },
);

sub _json_wrong {
    my ($where, $what, $value) = @_;

    if ($what =~ /^\[(\w+)\]$/) {
        my $each = $1;
        return "$where: no list" if ref $value ne 'ARRAY';
        return map { _json_wrong("$where.$_", $each, $value->[$_]) }
            0 .. $#$value;
    }
    if ($IS{$what}) {
        my $ok = defined $value && ($what =~ /^(?:count|boolean)$/
            || $IS{text}->($value)) && $IS{$what}->($value);
        return $ok ? () : "$where: no $what";
    }

    return "$where: no object" if ref $value ne 'HASH';
    my $members = $JSON{$what};
    my @wrong = map { "$where: no $_" }
        grep { $members->{$_} =~ /^!/ && !exists $value->{$_} }
        sort keys %$members;
    for my $name (sort keys %$value) {
        if ($name =~ /^_[A-Za-z][^.]*$/) {
            push @wrong, "$where.$name: no object"
                if ref $value->{$name} ne 'HASH';
            next;
        }
        my $is = $members->{$name};
        push @wrong, $is ? _json_wrong("$where.$name", $is =~ s/^!//r,
            $value->{$name}) : "$where.$name: unknown";
    }
    push @wrong, "$where: nothing said of the author"
        if $what eq 'author' && !%$value;
    push @wrong, "$where: neither content_html nor content_text"
        if $what eq 'item' && !defined($value->{content_html}
            // $value->{content_text});
    return @wrong;
}

# json_ok({name => bytes, …}, 'test name'): valid JSON Feed 1.1.
sub json_ok {
    my ($feeds, $what) = @_;

    my @wrong;
    for my $name (sort keys %$feeds) {
        my $feed = eval { JSON::PP->new->decode(
            Encode::decode('UTF-8', "$feeds->{$name}", Encode::FB_CROAK)) };
        if (!$feed) {
            push @wrong, "$name: $@";
            next;
        }
        my @here = _json_wrong('feed', 'feed', $feed);
        my %id;
        push @here, map { "id $_ twice" } grep { $id{$_}++ == 1 }
            map { $_->{id} } @{$feed->{items}} if !@here;
        push @here, 'next_url is feed_url'
            if ($feed->{next_url} // '') eq ($feed->{feed_url} // '-');
        push @wrong, map { "$name: $_" } @here;
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(!@wrong, "$what: " . keys(%$feeds) . ' documents')
        || diag join "\n", grep { defined } @wrong[0 .. 20];
}

sub _files {
    my (%bytes) = @_;

    my $dir = File::Temp->newdir('cardfeed-f-XXXXXX', TMPDIR => 1);
    my (%name, $n);
    for my $what (sort keys %bytes) {
        my $path = sprintf '%s/%04d.xml', $dir, ++$n;
        open my $fh, '>:raw', $path or die "$path: $!";
        print {$fh} $bytes{$what};
        close $fh or die "$path: $!";
        $name{$path} = $what;
    }
    return ($dir, \%name);
}

# schemas_ok('atom', {name => bytes, …}, 'test name'): one jing for them all,
# for every schema of the format (atom.rnc, atom-strict.rnc).
sub schemas_ok {
    my ($format, $feeds, $what) = @_;

    my ($dir, $name) = _files(%$feeds);
    my @schemas = glob "$T/schema/$format*.rnc";
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return fail "$what: no schema" if !@schemas;

    for my $schema (@schemas) {
        my $pid = open(my $out, '-|') // die $!;
        if (!$pid) {
            open STDERR, '>&', \*STDOUT;
            exec 'jing', '-c', $schema, sort keys %$name
                or print "jing: $!\n" and POSIX::_exit(127);
        }
        my @said = <$out>;
        close $out;
        s{^(\S+\.xml)}{$name->{$1} // $1}e for @said;
        ok $? == 0, "$what, " . basename($schema) . ': '
            . keys(%$name) . ' documents' or diag grep { defined }
            @said[0 .. 20];
    }
    return;
}

# What feedparser makes of each: {name => {bozo, why, version, feed, entries}}
sub read_feeds {
    my ($feeds) = @_;

    my ($dir, $name) = _files(%$feeds);
    open my $out, '-|', '/usr/bin/python3', "$T/lib/feedcheck.py",
        sort keys %$name or die $!;
    local $/;
    my $result = JSON::PP->new->utf8->decode(<$out> || '{}');
    close $out or die "feedcheck.py: status $?\n";
    return { map { $name->{$_} => $result->{$_} } keys %$result };
}

# Every feed is read without a complaint, as the version it should be.
sub readers_ok {
    my ($format, $feeds, $what) = @_;

    my $read = read_feeds($feeds);
    my $version = { atom => 'atom10', rss => 'rss20' }->{$format};
    my @bad = map {
        my $r = $read->{$_};
        !$r ? "$_: not read"
            : $r->{bozo} ? "$_: $r->{why}"
            : $r->{version} ne $version ? "$_: version $r->{version}" : ();
    } sort keys %$feeds;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!@bad, "$what: " . keys(%$feeds) . " documents") or diag "@bad";
    return $read;
}

1;
