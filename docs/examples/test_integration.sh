#!/bin/sh
# Checks an integration step by step: the server, the key, models, code, streams, errors.
#
#   URL=http://127.0.0.1:8000 KEY=ck_... sh test_integration.sh [model [model for code]]
#
# Needs curl. Ends with 1 if anything failed, after it has said what was answered instead.
set -u
URL=${URL:-http://127.0.0.1:8000}
KEY=${KEY:?set KEY to an API key of the server}
MODEL=${1:-chat}
CODE_MODEL=${2:-code}
failed=0

# check NAME WANTED CURL-ARGUMENTS: whether the answer has the text WANTED in it.
check() {
  name=$1 wanted=$2
  shift 2
  answer=$(curl -sSN --max-time 120 -H "Authorization: Bearer $KEY" \
    -H "Content-Type: application/json" "$@" 2>&1)
  case $answer in
    *"$wanted"*) echo "ok      $name" ;;
    *)
      failed=$((failed + 1))
      echo "FAILED  $name"
      printf '        %.500s\n' "${answer:-nothing was answered}"
      return 1
      ;;
  esac
}

# completion MODEL TEXT: a request for a chat completion; TEXT has no quotes in it.
completion() {
  printf '{"model": "%s", "messages": [{"role": "user", "content": "%s"}]%s}' "$1" "$2" "${3:-}"
}

echo "Testing the integration with $URL"
check "the server is up" '"status":"ok"' "$URL/health" || exit 1
check "the key holds" '"owner_id":' "$URL/api/me" || exit 1
check "models are listed" '"object":"list"' "$URL/v1/models"
check "$MODEL answers" '"choices":[' "$URL/v1/chat/completions" \
  -d "$(completion "$MODEL" "Say hello")"
check "$CODE_MODEL writes code" '"choices":[' "$URL/v1/chat/completions" \
  -d "$(completion "$CODE_MODEL" "Write a Python function to reverse a string")"
check "$MODEL streams to the end" 'data: [DONE]' "$URL/v1/chat/completions" \
  -d "$(completion "$MODEL" "Count to 5" ', "stream": true')"
check "the assistant answers" '"run_id":' "$URL/api/chat" -d '{"message": "Say hello"}'
check "an unknown model is refused" '"model_not_found"' "$URL/v1/chat/completions" \
  -d "$(completion no-such-model "Say hello")"

if [ "$failed" -gt 0 ]; then
  echo "$failed checks failed."
  exit 1
fi
echo "Everything works."
