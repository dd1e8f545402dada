#!/bin/sh
# GET /cgi-bin/completions?prompt=a+pod
printf 'Content-Type: application/json\r\n\r\n'
exec awk -f /usr/share/model.awk "$AIM_CACHE_PATH/reeve/tiny/corpus.txt"
