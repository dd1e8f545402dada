#!/bin/sh
# The tiny model's image: says how it wants to be run, or serves.
if [ "$1" = dry-run ]; then
  exec cat /usr/share/profile.json
fi
if ! [ -s "$AIM_CACHE_PATH/reeve/tiny/corpus.txt" ]; then
  echo "no corpus.txt in $AIM_CACHE_PATH/reeve/tiny"
  ls -R "$AIM_CACHE_PATH"
  exit 1
fi
echo "serving reeve/tiny at port 8000"
# As the first process of a container it is not ended by SIGTERM unless it asks to be.
httpd -f -p 8000 -h /www &
trap 'kill $!; exit 0' TERM INT
wait $!
