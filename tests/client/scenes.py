"""What the model of these tests says: each scene is asked for by a word of its message."""

ANSWER = "One two three four five six seven eight."
SCENES = """
scenes:
  - when: everything
    steps:
      - reasoning: "I had better ask somebody, and calculate."
      - citation: {title: A book, url: "https://example.com/book", snippet: "It says so."}
      - text: "I ask. "
      - tool_call: {name: delegate, arguments: {agent: analyst, task: "Work on the subtask."}}
  - after_tool: delegate
    steps:
      - text: "It was told."
  - when: subtask
    steps:
      - text: "The task is done."
  - when: calculate
    steps:
      - tool_call: {name: calculator, arguments: {expression: "6*7"}}
  - after_tool: calculator
    steps:
      - text: "It is 42."
  - when: slowly
    steps:
      - text: "One "
      - repeat:
          times: 600
          steps:
            - delay: 0.1
            - text: "drip "
  - when: fail
    steps:
      - text: "So far, so good"
      - error: {message: "The provider is overloaded.", code: upstream_overloaded, retryable: false}
  - when: paint
    steps:
      - text: "Well \\u2713 \\e]52;c;ZXZpbA==\\a\\e[2J\\u202edone."
  - when: break off
    steps:
      - text: "This answer has no"
      - error: {message: "It broke.", code: upstream_cut, retryable: false}
  - when: four parts
    steps:
      - repeat:
          times: 4
          steps:
            - text: "part "
            - delay: 0.3
  - when: default
    steps:
      - text: "One two "
      - delay: 0.05
      - text: "three four "
      - delay: 0.05
      - text: "five six "
      - delay: 0.05
      - text: "seven eight."
"""
