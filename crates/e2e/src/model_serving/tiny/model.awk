# Reads the text, and goes on from the prompt's last word, each time with what came next most often; of equals, with what came first.
{
  for (i = 1; i < NF; i++) {
    pair = $i " " $(i + 1)
    if (!(pair in times)) {
      order[++pairs] = pair
    }
    times[pair]++
  }
}
END {
  prompt = ENVIRON["QUERY_STRING"]
  sub(/^.*prompt=/, "", prompt)
  sub(/&.*$/, "", prompt)
  gsub(/\+|%20/, " ", prompt)
  gsub(/[^a-z ]/, "", prompt)
  count = split(prompt, words, " ")
  text = prompt
  word = words[count]
  for (n = 0; n < 8; n++) {
    best = ""
    for (i = 1; i <= pairs; i++) {
      split(order[i], pair_words, " ")
      if (pair_words[1] == word && (best == "" || times[order[i]] > times[best])) {
        best = order[i]
      }
    }
    if (best == "") {
      break
    }
    split(best, pair_words, " ")
    word = pair_words[2]
    text = text " " word
  }
  printf "{\"object\": \"text_completion\", \"model\": \"reeve/tiny\", \"text\": \"%s\"}\n", text
}
