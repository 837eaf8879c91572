# Draws the charts of a run: gnuplot -e "directory='build/bench'" tests/bench/charts.gp
# Points are medians, bars reach from the tenth to the ninetieth of a hundred.
set datafile separator ","
set terminal svg size 640,400 font "sans-serif,13" background "#ffffff"
set grid linecolor "#dddddd"
set border 3
set tics nomirror
set logscale xy
set format y "%g"

of(experiment, subject, quantity) = sprintf("< grep '^%s,%s,[0-9]*,%s,' '%s/summary.csv'", experiment, subject, quantity, directory)
# A size of 0 has no place on the axis.
x(size) = size > 0 ? size : 1
array subject[3] = ["pons", "reference", "floor"]
array color[3] = ["#1f77b4", "#d62728", "#7f7f7f"]

set output directory."/containers.svg"
set title "ADD with N existing containers"
set xlabel "existing containers on the host (none: at 1)"
set ylabel "milliseconds"
set xrange [0.8:8000]
set key top left reverse Left
array name[3] = ["pons", "reference plugins", "bare kernel requests"]
plot for [i=1:3] of("scale", subject[i], "ADD ms") using (x($3)):6:5:7 with yerrorlines title name[i] linecolor rgb color[i] linewidth 1.5 pointtype 7 pointsize 0.6

set output directory."/at-once.svg"
set title "Many ADDs at once"
set xlabel "processes at once"
set ylabel "ADDs per second"
set xrange [0.8:40]
set xtics (1, 8, 32)
set key bottom left reverse Left
plot for [i=1:3] of("at once", subject[i], "ADDs a second") using (x($3)):6:5:7 with yerrorlines title name[i] linecolor rgb color[i] linewidth 1.5 pointtype 7 pointsize 0.6

set output directory."/connections.svg"
set title "TCP connections through a published port"
set xlabel "published ports on the host"
set ylabel "connections per second, one after the other"
set xrange [0.8:8000]
set xtics autofreq
name[3] = "no published port, no rules"
plot for [i=1:3] of("connections", subject[i], "connections a second") using (x($3)):6:5:7 with yerrorlines title name[i] linecolor rgb color[i] linewidth 1.5 pointtype 7 pointsize 0.6
