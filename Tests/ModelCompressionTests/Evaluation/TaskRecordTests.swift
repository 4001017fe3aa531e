import Foundation
import MTConvTestSupport
import Testing

@testable import ModelCompression

/// Questions that are not what the data set says, each refused with its place.
@Suite struct TaskRecordTests {
  struct Defect: Sendable, CustomTestStringConvertible {
    let task: EvaluationTask
    let line: String
    let message: String
    var testDescription: String { message }
  }

  private static let arc = #""choices":{"text":["a","b"],"label":["A","B"]}"#
  static let defects = [
    Defect(task: .piqa, line: #"{"goal":"g""#, message: "not JSON: expected ',' or '}', found the end at byte 11"),
    Defect(task: .piqa, line: #"["goal"]"#, message: "expected a JSON object"),
    Defect(
      task: .piqa, line: #"{"sol1":"a","sol2":"b","label":0}"#,
      message: "field 'goal': expected a text, found nothing"),
    Defect(
      task: .piqa, line: #"{"goal":"g","sol1":"a","sol2":7,"label":0}"#,
      message: "field 'sol2': expected a text, found 7"),
    Defect(
      task: .piqa, line: #"{"goal":"g","sol1":"a","sol2":"b","label":2}"#,
      message: "field 'label': expected a number from 0 to 1, found 2"),
    Defect(
      task: .piqa, line: #"{"goal":"g","sol1":"a","sol2":"b","label":-1}"#,
      message: "field 'label': expected a number from 0 to 1, found -1"),
    Defect(
      task: .winogrande, line: #"{"sentence":"no blank","option1":"a","option2":"b","answer":"1"}"#,
      message: "field 'sentence': expected a text with a '_', found \"no blank\""),
    Defect(
      task: .winogrande, line: #"{"sentence":"_ is","option1":"a","option2":"b","answer":"3"}"#,
      message: "field 'answer': expected \"1\" or \"2\", found \"3\""),
    Defect(
      task: .hellaswag, line: #"{"ctx_a":"a","ctx_b":"b","activity_label":"c","endings":[],"label":"0"}"#,
      message: "field 'endings': expected a list of texts, found []"),
    Defect(
      task: .hellaswag, line: #"{"ctx_a":"a","ctx_b":"b","activity_label":"c","endings":["d",1],"label":"0"}"#,
      message: "field 'endings': expected a list of texts, found [\"d\",1]"),
    Defect(
      task: .hellaswag, line: #"{"ctx_a":"a","ctx_b":"b","activity_label":"c","endings":["d","e"],"label":""}"#,
      message: "field 'label': expected a number from 0 to 1, found \"\""),
    Defect(
      task: .arc, line: #"{"question":"q","choices":["a"],"answerKey":"A"}"#,
      message: "field 'choices': expected an object, found [\"a\"]"),
    Defect(
      task: .arc, line: #"{"question":"q","choices":{"text":["a","b"],"label":["A"]},"answerKey":"A"}"#,
      message: "field 'choices.label': expected 2 labels, one for each text, found [\"A\"]"),
    Defect(
      task: .arc, line: #"{"question":"q",\#(arc),"answerKey":"C"}"#,
      message: "field 'answerKey': expected one of A, B, found \"C\""),
    Defect(
      task: .mmlu, line: #"{"question":"q","subject":"s","choices":["a","b","c"],"answer":0}"#,
      message: "field 'choices': expected 4 texts, found [\"a\",\"b\",\"c\"]"),
    Defect(
      task: .mmlu, line: #"{"question":"q","choices":["a","b","c","d"],"answer":0}"#,
      message: "field 'subject': expected a text, found nothing"),
    Defect(
      task: .mmlu, line: #"{"question":"q","subject":"s","choices":["a","b","c","d"],"answer":"D"}"#,
      message: "field 'answer': expected a number from 0 to 3, found \"D\""),
  ]

  private let folder = TemporaryFolder()

  @Test(arguments: defects) func saysWhatIsWrongAndWhere(_ defect: Defect) throws {
    let path = try folder.write("\n" + defect.line + "\n", to: "data.jsonl")
    let error = #expect(throws: CompressionError.self) { _ = try defect.task.items(in: path) }
    #expect(error?.message == "'\(path)' line 2: \(defect.message)")
    #expect(error?.code == .invalidTask)
  }

  @Test func longValuesAreCutInMessages() throws {
    let path = try folder.write(#"{"goal":["\#(String(repeating: "x", count: 500))"]}"#, to: "data.jsonl")
    let error = #expect(throws: CompressionError.self) { _ = try EvaluationTask.piqa.items(in: path) }
    #expect((error?.message.count ?? 0) < path.count + 130)
  }

  @Test(arguments: ["", "\n \r\n\t\n"]) func refusesAFileWithoutQuestions(_ text: String) throws {
    let path = try folder.write(text, to: "data.jsonl")
    #expect(throws: CompressionError(.invalidTask, "")) { _ = try EvaluationTask.piqa.items(in: path) }
  }

  @Test func readsLinesOfWindowsAndALastLineWithoutEnd() throws {
    let line = #"{"goal":"g","sol1":"a","sol2":"b","label":"1"}"#
    let path = try folder.write("\u{FEFF}\(line)\r\n\r\n\(line)", to: "data.jsonl")
    #expect(try EvaluationTask.piqa.items(in: path).map(\.answer) == [1, 1])
  }

  @Test func refusesASubjectWithTooFewExamples() throws {
    let line = #"{"question":"q","subject":"s","choices":["a","b","c","d"],"answer":3}"#
    let path = try folder.write(line + "\n" + line, to: "dev.jsonl")
    let shots = try TaskShots(path: path, count: 3)
    let error = #expect(throws: CompressionError.self) { _ = try EvaluationTask.mmlu.items(in: path, shots: shots) }
    #expect(error?.message.contains("line 1: field 'subject': expected a subject with 3 examples in") == true)
    let two = try EvaluationTask.mmlu.items(in: path, shots: TaskShots(path: path, count: 2))
    #expect(two[0].choices[0].context.components(separatedBy: "Answer: D\n\n").count == 3)
  }
}
