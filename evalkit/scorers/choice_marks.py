"""The marks people put before the options of a question, in many scripts, and how an answer says "the answer is".

    A B C D    1 2 3 4    А Б В Г    أ ب ج د    क ख ग घ    甲乙丙丁    가나다라    ก ข ค ง

Words stand in normal form (case folded, NFKC), because that is how an answer is read.
"""

import unicodedata
from functools import cache

from evalkit.scorers.normal_form import fold_case

ALPHABETS = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ΑΒΓΔΕΖΗΘΙΚ",  # Greek
    "АБВГДЕЖЗИК",  # Cyrillic
    "ԱԲԳԴԵԶԷԸԹԺ",  # Armenian
    "აბგდევზთიკ",  # Georgian
    "אבגדהוזחטי",  # Hebrew
    "أبجدهوزحطي",  # Arabic, in the order used for numbering
    "ابجدهوزحطي",
    "कखगघङ",  # Devanagari
    "अबसद",  # Hindi schoolbooks: after A B C D
    "কখগঘঙ",  # Bengali
    "ਕਖਗਘਙ",  # Gurmukhi
    "કખગઘઙ",  # Gujarati
    "அஆஇஈ",  # Tamil
    "అఆఇఈ",  # Telugu
    "ಅಆಇಈ",  # Kannada
    "กขคงจ",  # Thai
    "ກຂຄງຈ",  # Lao
    "កខគឃង",  # Khmer
    "ကခဂဃင",  # Burmese
    "ཀཁགང",  # Tibetan
    "ሀለሐመሠ",  # Ethiopic
    "甲乙丙丁戊己庚辛",
    "가나다라마바사아",
    "アイウエオカキク",
    "ㄱㄴㄷㄹㅁㅂㅅㅇ",
)

WORD_LETTERS = "AEIOUYАИОУЯВКС"
"""Capital letters that are also words: English A and I, Spanish Y and O, Russian А, И, В, К, С, У, О, Я."""


def _words(*lines: str) -> tuple[str, ...]:
    folded = {fold_case(word.strip(), "NFKC") for line in lines for word in line.split("|")}
    return tuple(sorted(folded, key=lambda word: (-len(word), word)))


SAYS_ANSWER = _words(
    "answer|i choose|i pick|i select|antwort|lösung|réponse|respuesta|resposta|risposta|antwoord|svar|vastaus",
    "odpowiedź|odpověď|válasz|răspuns|răspunsul|odgovor|cevap|yanıt|đáp án|câu trả lời|jawaban|jawapan|sagot|jibu|amsa",
    "kutichiy|javob|ответ|відповідь|отговор|απάντηση|պատասխան|պատասխանը|პასუხი|תשובה|התשובה|الإجابة|الاجابة|إجابة|الجواب|جواب|پاسخ",
    "उत्तर|जवाब|উত্তর|ਜਵਾਬ|જવાબ|பதில்|விடை|సమాధానం|జవాబు|ಉತ್ತರ|ഉത്തരം|පිළිතුර|คำตอบ|ตอบ|ຄຳຕອບ|ចម្លើយ|အဖြေ|መልስ",
    "答案|回答|答え|正解|选择|選擇|选|選|정답|답",
)
"""Words in front of a choice that make it the answer."""

SAYS_OPTION = _words(
    "option|choice|opción|opção|alternativa|opzione|optie|вариант|الخيار|گزینه|विकल्प|বিকল্প|ข้อ|选项|選項|選択肢",
)
"""Words in front of a choice that only name it: weaker, since an answer may weigh one option after the other."""

SAYS_FINAL = _words(
    "final answer|final choice|endgültige antwort|réponse finale|respuesta final|resposta final|risposta finale",
    "окончательный ответ|الإجابة النهائية|अंतिम उत्तर|最终答案|最終答案|最終的な答え|최종 답|최종 정답|คำตอบสุดท้าย",
)
"""The same, where the answer itself says that this is the last word."""

LINKS = _words(
    "is|would be|must be|should be|therefore|ist|lautet|est|es|é|è|är|er|on|to|jest|je|este|là|adalah|ni|this|option",
    "choice|letter|the|la|le|der|die|das|number|correct|это|вариант|буква|правильный|είναι|η|το|هي|هو|الخيار|الحرف|الصحيحة",
    "است|היא|הוא|הנכונה|है|विकल्प|সঠিক|হল|হলো|คือ|ที่ถูกต้อง|ข้อ|是|为|為|应|應|选|選|选项|選項|は|が|은|는|번",
)
"""Words that may stand between "answer" and the choice."""

IS_RIGHT = _words(
    "is correct|is right|is the correct|is the right|is the answer|is the best|is my answer|ist richtig|ist korrekt",
    "ist die richtige|est correct|est correcte|est la bonne|es correcta|es la correcta|es la respuesta",
    "está correta|é a correta|è corretta|верный|верно|правильный|является правильным",
    "هو الصحيح|هي الصحيحة|सही है|是正确|正确|が正解|は正解|이 정답|가 정답",
)
"""Words behind a choice that make it the answer."""

JOINS = _words("and|or|und|oder|et|ou|y|o|e|i|и|или|و|أو|और|या|和|或|と|か|와|과|또는|หรือ|และ")
"""Words between two choices: an answer that names both has not chosen."""


@cache
def letter_marks(count: int) -> dict[str, int]:
    """Every letter that marks an option, for a question with `count` options: letter -> position from 0.

    Letters that look alike keep their own alphabet: Cyrillic В is the third, Latin B the second. A Cyrillic С, which
    marks nothing in its own order, is read as the Latin C it looks like.

    >>> [letter_marks(4).get(letter) for letter in ("B", "В", "С", "د", "E")]
    [1, 2, 2, 3, None]
    """
    found: dict[str, int] = {}
    for alphabet in ALPHABETS:
        for position, letter in enumerate(unicodedata.normalize("NFKC", alphabet)[:count]):
            found.setdefault(letter, position)
    if "C" in found:
        found.setdefault("С", found["C"])
    return found
