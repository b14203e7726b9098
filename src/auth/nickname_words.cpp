// The words that nicknames are made of: animals, plants, weather, food and other common things, our
// own choice, kind to all. The order means nothing.
#include <array>

#include "auth/nickname.hpp"

namespace rtc::auth {
namespace {

// clang-format off
constexpr auto kKorean = std::to_array<std::string_view>({
    "다람쥐", "고양이", "강아지", "토끼", "사슴", "고래", "돌고래", "펭귄", "수달", "해달",
    "너구리", "고슴도치", "햄스터", "판다", "코알라", "캥거루", "기린", "얼룩말", "낙타", "염소",
    "망아지", "송아지", "병아리", "오리", "백조", "두루미", "참새", "까치", "부엉이", "올빼미",
    "딱따구리", "앵무새", "종달새", "갈매기", "비둘기", "꾀꼬리", "거북이", "개구리", "도롱뇽",
    "잠자리", "나비", "꿀벌", "반딧불이", "무당벌레", "귀뚜라미", "달팽이", "소라", "불가사리",
    "해마", "연어", "금붕어", "소나무", "대나무", "은행나무", "단풍나무", "버드나무", "자작나무",
    "느티나무", "벚꽃", "매화", "목련", "진달래", "민들레", "해바라기", "코스모스", "국화",
    "장미", "튤립", "수선화", "나팔꽃", "무궁화", "라벤더", "제비꽃", "연꽃", "안개꽃", "도라지",
    "토끼풀", "새싹", "도토리", "솔방울", "이끼", "고사리", "선인장", "허브", "숲길", "햇살",
    "노을", "새벽", "아침", "구름", "무지개", "이슬", "바람", "소나기", "보슬비", "이슬비",
    "함박눈", "눈송이", "안개", "별빛", "달빛", "은하수", "보름달", "초승달", "샛별", "바다",
    "호수", "시냇물", "폭포", "언덕", "들판", "모래성", "조약돌", "파도", "등대", "섬마을",
    "오솔길", "골짜기", "봄비", "가을", "사과", "딸기", "포도", "복숭아", "자두", "살구", "앵두",
    "참외", "감귤", "귤나무", "모과", "대추", "밤송이", "호두", "옥수수", "당근", "양배추",
    "브로콜리", "완두콩", "송편", "인절미", "떡국", "만두", "비빔밥", "김밥", "식혜", "수정과",
    "약과", "호떡", "붕어빵", "팥빙수", "주먹밥", "꿀떡", "토스트", "와플", "연필", "공책",
    "책갈피", "우산", "종이배", "종이학", "바람개비", "풍선", "연날리기", "나침반", "돛단배",
    "자전거", "풍경", "오르골", "피리", "가야금", "물레방아", "모닥불", "촛불", "등불",
});

constexpr auto kEnglish = std::to_array<std::string_view>({
    "Otter", "Badger", "Rabbit", "Squirrel", "Hedgehog", "Fox", "Deer", "Moose", "Panda", "Koala",
    "Kangaroo", "Giraffe", "Zebra", "Camel", "Goat", "Pony", "Lamb", "Duckling", "Swan", "Crane",
    "Sparrow", "Swallow", "Magpie", "Owl", "Robin", "Finch", "Lark", "Parrot", "Penguin",
    "Puffin", "Heron", "Pelican", "Seagull", "Dove", "Turtle", "Frog", "Newt", "Dolphin", "Seal",
    "Salmon", "Seahorse", "Starfish", "Octopus", "Butterfly", "Dragonfly", "Firefly", "Honeybee",
    "Ladybird", "Cricket", "Puppy", "Marmot", "Pine", "Bamboo", "Maple", "Willow", "Birch",
    "Cedar", "Oak", "Elm", "Hazel", "Juniper", "Blossom", "Magnolia", "Azalea", "Dandelion",
    "Sunflower", "Daisy", "Rose", "Tulip", "Daffodil", "Lily", "Lavender", "Violet", "Lotus",
    "Clover", "Sprout", "Acorn", "Pinecone", "Moss", "Fern", "Cactus", "Orchid", "Iris",
    "Marigold", "Jasmine", "Sunbeam", "Sunset", "Dawn", "Morning", "Cloud", "Rainbow", "Dewdrop",
    "Breeze", "Drizzle", "Snowflake", "Mist", "Starlight", "Moonlight", "Comet", "Meteor",
    "Galaxy", "Planet", "Horizon", "Thunder", "Ocean", "Lake", "Brook", "River", "Waterfall",
    "Hill", "Meadow", "Pebble", "Wave", "Lighthouse", "Island", "Valley", "Canyon", "Harbor",
    "Forest", "Garden", "Orchard", "Prairie", "Lagoon", "Glacier", "Apple", "Strawberry", "Grape",
    "Peach", "Plum", "Apricot", "Mango", "Lemon", "Orange", "Pear", "Fig", "Walnut", "Chestnut",
    "Carrot", "Broccoli", "Radish", "Waffle", "Pancake", "Muffin", "Biscuit", "Bagel", "Pretzel",
    "Noodle", "Dumpling", "Cocoa", "Toast", "Pudding", "Cookie", "Cinnamon", "Vanilla", "Pepper",
    "Basil", "Pencil", "Notebook", "Bookmark", "Umbrella", "Kite", "Balloon", "Compass",
    "Sailboat", "Bicycle", "Lantern", "Candle", "Campfire", "Windmill", "Flute", "Cello", "Drum",
    "Marble", "Puzzle", "Teapot", "Quilt",
});
// clang-format on

}  // namespace

std::span<const std::string_view> words(Language language) {
  if (language == Language::english) return kEnglish;
  return kKorean;
}

}  // namespace rtc::auth
