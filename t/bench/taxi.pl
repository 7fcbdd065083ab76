#!/usr/bin/perl

# Prints taxi trips in New York that look real, one JSON document per line.
#
#     taxi.pl [--count 1000] [--seed 1] [--first 1]
#
# The same seed gives the same documents everywhere: the random numbers come
# from a generator of our own (xorshift, 32 bits), never from rand().  The
# fields are those of the city's yellow taxi records, with the places as
# {lat, lon} and a driver beside them.  Trip numbers are counted from --first
# on; a trip depends on the seed and on the trips before it.

use strict;
use warnings;

use Getopt::Long;

my %opt = (count => 1000, seed => 1, first => 1);

GetOptions(\%opt, 'count|n=i', 'seed|s=i', 'first=i')
    or die "usage: taxi.pl [--count N] [--seed N] [--first N]\n";

# Where trips begin: name, lat, lon, spread in degrees, weight.  Airports are
# points, neighbourhoods are clouds.

my @places = (
    [ 'Midtown',           40.7549, -73.9840, 0.0080, 24 ],
    [ 'Upper East Side',   40.7736, -73.9566, 0.0070, 17 ],
    [ 'Upper West Side',   40.7870, -73.9754, 0.0070, 11 ],
    [ 'Chelsea',           40.7465, -74.0014, 0.0060, 10 ],
    [ 'East Village',      40.7265, -73.9815, 0.0055,  9 ],
    [ 'SoHo',              40.7233, -74.0030, 0.0050,  7 ],
    [ 'Financial District', 40.7075, -74.0113, 0.0045, 6 ],
    [ 'Harlem',            40.8116, -73.9465, 0.0080,  4 ],
    [ 'Williamsburg',      40.7081, -73.9571, 0.0080,  3 ],
    [ 'Astoria',           40.7644, -73.9235, 0.0080,  2 ],
    [ 'LaGuardia Airport', 40.7769, -73.8740, 0.0015,  4 ],
    [ 'JFK Airport',       40.6413, -73.7781, 0.0020,  3 ],
);

# trips per hour of the day, from midnight on

my @hours = (4, 3, 2, 1, 1, 1, 2, 4, 5, 5, 4, 5, 5, 5, 5, 5, 4, 5, 6, 7, 6, 6,
             6, 5);

my @first = qw(Abdul Aisha Alvaro Amadou Ana Carlos Chen Daniela Dmitri Elena
               Fatima Giorgi Hassan Igor Ingrid Jamal José Kwame Liam Lucía
               Mamadou Maria Mei Mohammed Natalia Noor Olga Omar Priya Rafael
               Ravi Rosa Samuel Sergei Sofía Tariq Thomas Wei Yusuf Zoë);

my @last = qw(Ahmed Ali Barry Begum Castillo Chen Chowdhury Costa Diallo
              Estévez Fernández García Gill Hossain Ivanov Jean-Baptiste
              Kaur Khan Kim Lee López Miah Müller Nguyen Novák O'Brien
              Ouédraogo Patel Pérez Petrov Rahman Rivera Rossi Sánchez Sarkar
              Singh Sow Torres Traoré Zhang);

my @licenses = (A => 15, B => 70, C => 15);
my @rates = qw(Standard JFK Newark Nassau Negotiated);

my $state = ($opt{seed} * 2654435761 + 1) & 0xffffffff || 1;

next_random() for 1 .. 8;                 # near seeds begin far apart

my @drivers = map { driver() } 1 .. 400;

print trip($_), "\n" for $opt{first} .. $opt{first} + $opt{count} - 1;


sub trip {
    my ($number) = @_;

    my $place = weighted(\@places, 4);
    my ($lat, $lon) = around($place, 1);

    my $airport = $place->[0] =~ /Airport/;

    # miles: most trips are short, those from an airport are not

    my $miles = $airport ? 8 + 5 * abs(normal())
                         : exp(0.55 + 0.75 * normal());

    $miles = 0.2 if $miles < 0.2;
    $miles = 30 if $miles > 30;

    my ($to_lat, $to_lon) = beside($lat, $lon, $miles);

    my $mph = 7 + 5 * uniform() + ($airport ? 9 : 0) + $miles / 3;
    my $seconds = int($miles / $mph * 3600 + 60 + 90 * uniform());
    my $begin = pickup_time();

    my $rate = $place->[0] =~ /JFK/ && uniform() < 0.6 ? 2
               : uniform() < 0.003 ? 5 : 1;

    my $fare = $rate == 2 ? 52
               : money(2.5 + 0.5 * int($miles * 5) + 0.5 * int($seconds / 300));

    my $hour = (gmtime($begin))[2];
    my $extra = $hour >= 20 || $hour < 6 ? 0.5
                : $hour >= 16 && $hour < 20 ? 1 : 0;

    my $tolls = $airport && uniform() < 0.4 || uniform() < 0.02 ? 6.12 : 0;

    my $pay = choose(1 => 67, 2 => 31, 3 => 1, 4 => 1);
    my $sum = $fare + $extra + 0.5 + 0.3 + $tolls;

    # only tips by card are on record

    my $tip = $pay == 1 && uniform() > 0.04
              ? money($sum * choose(0.15 => 2, 0.20 => 5, 0.25 => 2, 0.30 => 1))
              : 0;

    my $driver = $drivers[int(uniform() * @drivers)];

    return json(
        trip_id               => sprintf('trip-%07d', $number),
        vendor_id             => number(choose(1 => 46, 2 => 54)),
        tpep_pickup_datetime  => datetime($begin),
        tpep_dropoff_datetime => datetime($begin + $seconds),
        passenger_count       => number(choose(1 => 71, 2 => 14, 3 => 4,
                                               4 => 2, 5 => 6, 6 => 3)),
        trip_distance         => number(sprintf('%.2f', $miles)),
        pickup_zone           => $place->[0],
        pickup_location       => point($lat, $lon),
        dropoff_location      => point($to_lat, $to_lon),
        rate_code             => $rates[$rate - 1],
        store_and_fwd_flag    => \ (uniform() < 0.006 ? 'true' : 'false'),
        payment_type          => number($pay),
        fare_amount           => amount($fare),
        extra                 => amount($extra),
        mta_tax               => amount(0.5),
        tip_amount            => amount($tip),
        tolls_amount          => amount($tolls),
        improvement_surcharge => amount(0.3),
        total_amount          => amount($sum + $tip),
        @$driver,
    );
}


sub driver {
    my $name = pick(\@first) . ' ' . pick(\@last);

    # medallions are like 7B42

    my $medallion = sprintf('%d%s%d%d', 1 + int(uniform() * 9),
                            chr(65 + int(uniform() * 25)),
                            int(uniform() * 10), int(uniform() * 10));

    return [
        name      => $name,
        license   => choose(@licenses),
        medallion => $medallion,
    ];
}


# A second in the first half of 2016, more likely in the evening.

sub pickup_time {
    my $day = int(uniform() * 182);
    my $hour = choose(map { $_ => $hours[$_] } 0 .. 23);

    return 1451606400 + $day * 86400 + $hour * 3600 + int(uniform() * 3600);
}


sub datetime {
    my ($time) = @_;
    my ($s, $m, $h, $day, $month, $year) = gmtime($time);

    return sprintf('%04d-%02d-%02dT%02d:%02d:%02d', $year + 1900, $month + 1,
                   $day, $h, $m, $s);
}


sub around {
    my ($place) = @_;

    return ($place->[1] + $place->[3] * normal(),
            $place->[2] + $place->[3] * normal());
}


# The point a trip of so many miles leads to: streets are about 1.3 times as
# long as the straight line, and most of Manhattan runs north by east.

sub beside {
    my ($lat, $lon, $miles) = @_;

    my $angle = uniform() < 0.6 ? 0.5 + 0.3 * normal()
                                  + (uniform() < 0.5 ? 3.14159265 : 0)
                                : 6.2831853 * uniform();

    my $line = $miles / 1.3;

    return ($lat + $line / 69.0 * cos($angle),
            $lon + $line / 52.3 * sin($angle));
}


# Random numbers.

sub next_random {
    $state ^= ($state << 13) & 0xffffffff;
    $state ^= $state >> 17;
    $state ^= ($state << 5) & 0xffffffff;

    return $state;
}


sub uniform {
    return (next_random() - 1) / 4294967295;      # never 1
}


# The sum of twelve is near enough to the bell curve, and needs no libm.

sub normal {
    my $sum = -6;

    $sum += uniform() for 1 .. 12;

    return $sum;
}


sub pick {
    my ($list) = @_;

    return $list->[int(uniform() * @$list)];
}


sub weighted {
    my ($list, $column) = @_;

    my $sum = 0;
    $sum += $_->[$column] for @$list;

    my $x = uniform() * $sum;

    for my $row (@$list) {
        return $row if ($x -= $row->[$column]) < 0;
    }

    return $list->[-1];
}


sub choose {
    my @pairs = @_;
    my @rows;

    while (my ($value, $weight) = splice(@pairs, 0, 2)) {
        push @rows, [ $value, $weight ];
    }

    return weighted(\@rows, 1)->[0];
}


# JSON: a reference is text that is JSON already, anything else a string.

sub json {
    my @pairs = @_;
    my @out;

    while (my ($key, $value) = splice(@pairs, 0, 2)) {
        push @out, "\"$key\":" . (ref $value ? $$value : "\"$value\"");
    }

    return '{' . join(',', @out) . '}';
}


sub number {
    my ($x) = @_;

    return \ "$x";
}


sub amount {
    my ($x) = @_;

    return \ sprintf('%.2f', $x);
}


sub point {
    my ($lat, $lon) = @_;

    return \ sprintf('{"lat":%.5f,"lon":%.5f}', $lat, $lon);
}


sub money {
    my ($x) = @_;

    return sprintf('%.2f', $x);
}
