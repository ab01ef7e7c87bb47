"""What the model says in the tests of events: each scene is asked for by a word of its message."""

SCENES = """
scenes:
  - when: everything
    steps:
      - reasoning: "I had better ask somebody."
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
  - when: fail
    steps:
      - text: "So far, so good"
      - error: {message: "The provider is overloaded.", code: upstream_overloaded, retryable: false}
  - when: slowly
    steps:
      - repeat:
          times: 600
          steps:
            - text: "drip "
            - delay: 0.1
  - when: default
    steps:
      - text: "Yes."
"""
